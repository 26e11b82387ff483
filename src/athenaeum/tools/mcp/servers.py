"""All servers of the operator's file, and their tools among the agent's."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from athenaeum.observability.health import Probe, Status
from athenaeum.tools.mcp.connection import LOOK_AGAIN, Connection
from athenaeum.tools.mcp.tool import build_tool

if TYPE_CHECKING:
    from athenaeum.tools.guard import GuardedToolset
    from athenaeum.tools.mcp.settings import ServerSettings

_FIRST_LOOK: Final = timedelta(seconds=10)


class Servers:
    """Puts the tools that are approved into the agent's toolset, as soon as each server has told them.

    A tool stays there when its server goes away: a call then says so, which is more use to the asker than a tool
    that is not known.
    """

    def __init__(
        self, settings: Mapping[str, ServerSettings], toolset: GuardedToolset, *, every: timedelta = LOOK_AGAIN
    ) -> None:
        """Nothing is connected yet; each server's tools are looked at again `every` so long."""
        self._toolset = toolset
        self._connections = [
            Connection(name, server, on_look=self._put, every=every)
            for name, server in settings.items()
            if not server.disabled
        ]

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What keeps them connected: endless works, to be run beside other work."""
        return [connection.run() for connection in self._connections]

    async def meet(self, patience: timedelta = _FIRST_LOOK) -> None:
        """Wait until every server was tried once, all at the same time, and no longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                for connection in self._connections:
                    await connection.tried.wait()

    @property
    def faults(self) -> dict[str, str]:
        """Why each server cannot be asked that cannot."""
        return {one.name: one.fault for one in self._connections if one.fault is not None}

    async def probe(self) -> Probe:
        """Whether each can be asked; the agent answers without them. The reasons are not for all who look at health."""
        away = ", ".join(self.faults)
        facts = {"connected": len(self._connections) - len(self.faults), "servers": len(self._connections)}
        if not away:
            return Probe(Status.UP, facts=facts)
        return Probe(Status.DEGRADED, f"{away} cannot be asked: see athenaeum doctor", facts)

    def _put(self, connection: Connection) -> None:
        tools = [build_tool(connection, definition) for definition in connection.approved.values()]
        # another dictionary: a run that is listing the tools of this one goes on
        self._toolset.tools = self._toolset.tools | {tool.name: tool for tool in tools}
