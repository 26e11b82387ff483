"""One look at servers, for those who only want to know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from athenaeum.tools.mcp.client import definitions, open_client
from athenaeum.tools.mcp.containment import contain
from athenaeum.tools.mcp.definition import review

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.tools.mcp.definition import Reviewed
    from athenaeum.tools.mcp.settings import ServerSettings


async def visit_all(
    servers: Mapping[str, ServerSettings], *, is_heard: bool = False
) -> dict[str, list[Reviewed] | str]:
    """All of them at once, by their names; see `visit`."""
    async with asyncio.TaskGroup() as group:
        visits = {name: group.create_task(visit(server, is_heard=is_heard)) for name, server in servers.items()}
    return {name: task.result() for name, task in visits.items()}


async def visit(server: ServerSettings, *, is_heard: bool = False) -> list[Reviewed] | str:
    """Its tools and what the file says of each; or why it cannot be asked, in one line.

    `is_heard` lets a command write to our standard error.
    """
    seen: list[Reviewed] = []

    async def look() -> None:
        async with open_client(server, is_heard=is_heard) as client:
            seen.extend(review(await definitions(client), server.tools))

    return await contain(look()) or seen
