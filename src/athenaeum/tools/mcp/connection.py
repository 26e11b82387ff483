"""A server, kept connected: it may be away, slow or wrong, and costs its own tools, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, INTERNAL_ERROR, PARSE_ERROR, REQUEST_TIMEOUT, CallToolResult, TextContent

from athenaeum.observability.metrics import MCP_CONNECTED
from athenaeum.tools.guard import Unavailable
from athenaeum.tools.mcp.client import definitions, open_client
from athenaeum.tools.mcp.containment import contain, in_one_line
from athenaeum.tools.mcp.definition import UNFIT, Approval, Definition, Reviewed, review

if TYPE_CHECKING:
    from mcp.client.client import Client

    from athenaeum.tools.mcp.settings import ServerSettings

log = structlog.get_logger(__name__)

LOOK_AGAIN: Final = timedelta(minutes=1)
_PAUSES: Final = (1.0, 60.0)  # seconds between attempts to connect: the first, doubled up to the last

_NO_ANSWER: Final = frozenset({CONNECTION_CLOSED, INTERNAL_ERROR, PARSE_ERROR})
"""Of which nobody can say how far the call got; the client says so itself of an HTTP error or an answer too large."""


class Connection:
    """One server; `run` connects, and connects again, until it is cancelled.

    Its tools are looked at again every minute, and after each call that did not come back: what is not as it was
    approved is not offered any more, and not called.
    """

    def __init__(
        self,
        name: str,
        settings: ServerSettings,
        *,
        on_look: Callable[[Connection], None],
        every: timedelta,
    ) -> None:
        """`on_look` hears of each look at the tools, `every` so long."""
        self.name = name
        self.settings = settings
        self.tried = asyncio.Event()
        """Whether the first attempt is over, well or badly."""
        self.fault: str | None = "not tried yet"
        """Why it is not connected; None while it is."""
        self.approved: Mapping[str, Definition] = {}
        """Its tools that were as they were approved when it was last looked at."""
        self._reviewed: Sequence[Reviewed] = ()
        self._on_look = on_look
        self._every = every
        self._look = asyncio.Event()
        self._client: Client | None = None

    async def run(self) -> None:
        """Stay connected."""
        first, last = _PAUSES
        pause = first
        while True:
            try:
                fault = await contain(self._stay())
            finally:
                was_connected, self._client = self._client is not None, None
                MCP_CONNECTED.labels(self.name).set(0)
            self._lose(fault or "it ended the connection")
            pause = first if was_connected else min(2 * pause, last)
            await asyncio.sleep(pause)

    def is_approved(self, definition: Definition) -> bool:
        """Whether the tool is still what the operator approved, as far as is known."""
        return self.approved.get(definition.tool) == definition

    async def call(self, definition: Definition, arguments: dict[str, Any]) -> CallToolResult:
        """Call a tool; an error that the server answers with is a result.

        Raises:
            Unavailable: The server is away, has changed the tool, or was lost meanwhile.
            TimeoutError: It took longer than it may.
        """
        if self._client is None:
            raise Unavailable(self.fault or "it is away", was_sent=False)
        if not self.is_approved(definition):
            raise Unavailable("its server has changed it since it was approved", was_sent=False)
        try:
            return await self._client.call_tool(definition.tool, arguments)
        except MCPError as error:
            self._look.set()
            if error.code == REQUEST_TIMEOUT:
                raise TimeoutError from error
            if error.code in _NO_ANSWER:
                raise Unavailable(in_one_line(error.message), was_sent=True) from error
            return CallToolResult(content=[TextContent(text=error.message)], is_error=True)

    async def _stay(self) -> None:
        async with open_client(self.settings) as client:
            while True:
                self._see(await definitions(client))
                if self._client is None:
                    self._client, self.fault = client, None
                    MCP_CONNECTED.labels(self.name).set(1)
                    log.info("mcp.connected", server=self.name, tools=len(self.approved))
                self._on_look(self)
                self.tried.set()
                self._look.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every.total_seconds()):
                        await self._look.wait()

    def _see(self, defined: Sequence[Definition]) -> None:
        known = self._reviewed
        self._reviewed = review(defined, self.settings.tools)
        self.approved = {
            one.tool: one.definition
            for one in self._reviewed
            if one.definition is not None and one.approval is Approval.APPROVED
        }
        for one in self._reviewed:
            if one not in known and one.approval in UNFIT:
                log.warning("mcp.tool_refused", server=self.name, tool=one.tool, approval=one.approval.value)

    def _lose(self, fault: str) -> None:
        self.tried.set()
        if self.fault != fault:
            log.warning("mcp.away", server=self.name, reason=fault)
        self.fault = fault
