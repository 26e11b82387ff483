"""The agent's tools with those of other servers, used as a run of the agent uses them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.exceptions import ToolFailed
from pydantic_ai.models.test import TestModel
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import ToolsetTool
from pydantic_ai.usage import RunUsage

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.approval import Consents
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.domain.turn import Progress
from athenaeum.retrieval.index import Index
from athenaeum.tools.grant import Grant
from athenaeum.tools.guard import GuardedToolset
from athenaeum.tools.mcp.servers import Servers
from athenaeum.tools.mcp.settings import read_servers
from athenaeum.tools.quarantine import Quarantine
from athenaeum.tools.readers import Readers
from athenaeum.tools.toolset import build_toolset
from athenaeum.wiring.background import beside
from support.desk import QUESTION
from support.tool_server import write_file

TERMINAL = Audience(DEFAULT_TENANT, None, None)
SOON = timedelta(milliseconds=20)
DELIMITER = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What a model is offered for an audience, and what it is told by each call."""

    database: DatabaseConnection
    toolset: GuardedToolset
    servers: Servers
    audience: Audience = TERMINAL
    tools: frozenset[str] | None = None
    """Those that the persona may use; None for all."""
    noted: list[Progress] = field(default_factory=list[Progress])
    """What people saw meanwhile."""

    async def offered(self) -> dict[str, ToolDefinition]:
        """The tools of other servers."""
        tools = await self.listed()
        return {name: tool.tool_def for name, tool in tools.items() if "__" in name}

    async def listed(self) -> dict[str, ToolsetTool[Grant]]:
        """All tools, as a step of a run lists them."""
        return await self.toolset.get_tools(self._context())

    async def call(
        self, name: str, *, approved: bool = False, listed: Mapping[str, ToolsetTool[Grant]] | None = None, **given: Any
    ) -> str:
        context = replace(self._context(), tool_call_approved=approved)
        tools = await self.listed() if listed is None else listed
        try:
            return str(await self.toolset.call_tool(name, given, context, tools[name]))
        except ToolFailed as failed:
            return failed.message

    def _context(self) -> RunContext[Grant]:
        grant = Grant(
            index=Index(self.database, None),
            audience=self.audience,
            readers=Readers(self.database, self.audience),
            quarantine=Quarantine(DELIMITER),
            consents=Consents(QUESTION.turn, {}, can_ask=True),
            progress=self._note,
            now=datetime.now(UTC),
            tools=self.tools,
        )
        return RunContext(deps=grant, model=TestModel(), usage=RunUsage())

    async def _note(self, progress: Progress) -> None:
        self.noted.append(progress)


@asynccontextmanager
async def toolbox(
    database: DatabaseConnection,
    folder: Path,
    *,
    audience: Audience = TERMINAL,
    every: timedelta = SOON,
    **file: dict[str, Any],
) -> AsyncGenerator[Toolbox]:
    """With the servers of the operator's file, each tried once; they are looked at again `every` so long."""
    toolset = build_toolset()
    servers = Servers(read_servers(write_file(folder, **file), {}.get), toolset, every=every)
    async with beside(*servers.works()):
        await servers.meet(timedelta(seconds=30))
        yield Toolbox(database, toolset, servers, audience)
