"""A tool of the agent that calls one of a server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from pydantic_ai import RunContext, Tool
from pydantic_ai.tools import ToolDefinition

from athenaeum.tools.grant import Grant
from athenaeum.tools.mcp.connection import Connection
from athenaeum.tools.mcp.definition import Definition, shown
from athenaeum.tools.mcp.result import told
from athenaeum.tools.mcp.settings import ServerSettings, offered_name, tool_in
from athenaeum.tools.readers import Reach

_LONGER: Final = timedelta(seconds=5)
"""The client ends a call by itself; should it not, the guard does."""


def build_tool(connection: Connection, definition: Definition) -> Tool[Grant]:
    """The tool as it was approved: it is offered, and called, while its server defines it so."""
    server, listed = connection.settings, connection.settings.tools[definition.tool]
    reach = reach_of(server)

    async def call(ctx: RunContext[Grant], /, **arguments: Any) -> str:
        result = await connection.call(definition, arguments)
        return told(result, ctx.deps.quarantine, server=connection.name)

    async def offer(ctx: RunContext[Grant], tool: ToolDefinition) -> ToolDefinition | None:
        if not connection.is_approved(definition):
            return None
        return tool if reach.admits(await ctx.deps.readers.known()) else None

    description, parameters = shown(definition)
    name = offered_name(connection.name, definition.tool)
    tool = Tool[Grant].from_schema(call, name, description, parameters, takes_ctx=True)
    tool.prepare = offer
    tool.requires_approval = listed.changes
    tool.metadata = {
        "label": listed.label or f"Asking {connection.name}…",
        "asks": f"Call {tool_in(name)} of {connection.name}",
        "patience": server.patience + _LONGER,
        "reach": reach,
    }
    return tool


def reach_of(server: ServerSettings) -> Reach:
    """For whose answers its tools may be used."""
    named = server.tenants if isinstance(server.tenants, frozenset) else None
    return Reach(named, is_for_all_tenants=server.tenants == "all", is_for_everyone=server.audience == "everyone")
