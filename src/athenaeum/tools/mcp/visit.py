"""One look at a server, for those who only want to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.tools.mcp.client import definitions, open_client
from athenaeum.tools.mcp.containment import contain
from athenaeum.tools.mcp.definition import review

if TYPE_CHECKING:
    from athenaeum.tools.mcp.definition import Reviewed
    from athenaeum.tools.mcp.settings import ServerSettings


async def visit(server: ServerSettings, *, is_heard: bool = False) -> list[Reviewed] | str:
    """Its tools and what the file says of each; or why it cannot be asked, in one line.

    `is_heard` lets a command write to our standard error.
    """
    seen: list[Reviewed] = []

    async def look() -> None:
        async with open_client(server, is_heard=is_heard) as client:
            seen.extend(review(await definitions(client), server.tools))

    return await contain(look()) or seen
