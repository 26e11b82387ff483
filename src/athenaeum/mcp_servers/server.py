"""What all servers have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError, ToolError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.server.middleware.rate_limiting import RateLimitingMiddleware
from fastmcp.tools.base import ToolResult
from mcp_types import CallToolRequestParams, ToolAnnotations
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.database.connection import transient
from athenaeum.mcp_servers.reader import NOT_ADMITTED, Reader, is_admitted
from athenaeum.observability.metrics import MCP_REFUSED, MCP_SERVED_SECONDS

if TYPE_CHECKING:
    from fastmcp.server.auth import AuthProvider

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.mcp_servers.topic import Topic

log = structlog.get_logger(__name__)

Whose = Callable[[], Reader]
"""Who asks with the call that is being answered."""

TEXT = r"^[^\x00]*$"  # what PostgreSQL takes
_QUERY = "A short question, or the words you expect in the text."
Query = Annotated[str, Field(min_length=2, max_length=300, pattern=TEXT, description=_QUERY)]

Call = MiddlewareContext[CallToolRequestParams]
Next = CallNext[CallToolRequestParams, ToolResult]

READING = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
_AWAY = "The archive cannot be reached just now. Try again in a minute."
_PER_SECOND, _AT_ONCE = 1, 60  # requests of one person; a search takes some 20 ms of a core


def new_server(
    topic: Topic, instructions: str, *, database: DatabaseConnection, whose: Whose, auth: AuthProvider | None
) -> FastMCP[Any]:
    """A server without tools: it tells no fault's words, counts each call, and lets nobody in who may not read.

    With `auth` that is done at the door, and each person's calls have a limit.
    """
    server: FastMCP[Any] = FastMCP(f"athenaeum-{topic}", instructions=instructions, auth=auth, mask_error_details=True)
    server.add_middleware(Meter(whose))
    if auth is None:
        server.add_middleware(Threshold(database, whose))
    else:
        limit = RateLimitingMiddleware(_PER_SECOND, burst_capacity=_AT_ONCE, get_client_id=lambda _: whose().subject)
        server.add_middleware(limit)
    return server


class Threshold(Middleware):
    """Where there is no door: whoever a call is for has to be a full member still."""

    def __init__(self, database: DatabaseConnection, whose: Whose) -> None:
        """`whose` says for whom a call is."""
        self._database = database
        self._whose = whose

    async def on_call_tool(self, context: Call, call_next: Next) -> ToolResult:
        """Pass the call on, if they are."""
        try:
            admitted = await is_admitted(self._database, self._whose())
        except (SQLAlchemyError, OSError) as error:
            if not transient(error):
                raise
            raise ToolError(_AWAY) from error
        if not admitted:
            MCP_REFUSED.labels("person").inc()
            raise ToolError(NOT_ADMITTED)
        return await call_next(context)


class Meter(Middleware):
    """Notes who called which tool and how that went, and says of an outage that it will pass."""

    def __init__(self, whose: Whose) -> None:
        """`whose` says who calls."""
        self._whose = whose

    async def on_call_tool(self, context: Call, call_next: Next) -> ToolResult:
        """Pass the call on."""
        started, tool, outcome = time.perf_counter(), context.message.name, "failed"
        try:
            result = await call_next(context)
            outcome = "answered"
        except NotFoundError:
            tool, outcome = "unknown", "refused"  # a name that a client makes up is no label
            raise
        except (ToolError, ValidationError) as error:
            cause = error.__cause__
            outcome = "failed" if isinstance(error, ToolError) and cause is not None else "refused"
            if isinstance(cause, Exception) and transient(cause):
                raise ToolError(_AWAY) from cause
            raise
        finally:
            reader = self._whose()
            MCP_SERVED_SECONDS.labels(tool, outcome).observe(time.perf_counter() - started)
            log.info("mcp.served", tool=tool, outcome=outcome, tenant=str(reader.tenant), user=reader.user)
        return result
