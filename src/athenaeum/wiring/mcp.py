"""The MCP servers of the operator's file, where there is one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from athenaeum.tools.mcp.settings import offered_name, read_servers
from athenaeum.wiring.background import beside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from athenaeum.config import Config
    from athenaeum.observability.health import Probe
    from athenaeum.tools.guard import GuardedToolset
    from athenaeum.tools.mcp.settings import ServerSettings


def servers(config: Config) -> dict[str, ServerSettings]:
    """The servers by their names, none where no file is named.

    Raises:
        Misconfigured: the file cannot be read.
    """
    return {} if config.mcp_config is None else read_servers(config.mcp_config.expanduser(), config.variable)


def approved_tools(config: Config) -> list[str]:
    """What the agent calls the tools of these servers that the operator has approved; nothing is asked of a server."""
    return [offered_name(name, tool) for name, server in servers(config).items() for tool in server.tools]


@asynccontextmanager
async def open_servers(
    config: Config, toolset: GuardedToolset, looks: dict[str, Callable[[], Awaitable[Probe]]]
) -> AsyncGenerator[None]:
    """Have the approved tools of all servers among the agent's, and the servers among the `looks` at health.

    Raises:
        Misconfigured: the file cannot be read. A server that cannot be reached is no fault here.
    """
    named = servers(config)
    if not named:
        yield
        return
    from athenaeum.tools.mcp.servers import Servers  # noqa: PLC0415 - mcp takes a second, and few processes need it

    opened = Servers(named, toolset)
    async with beside(*opened.works()):
        await opened.meet()
        looks["mcp"] = opened.probe
        yield
