"""The border around every tool call: a failing tool costs its result, not the answer."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import structlog
from pydantic_ai import RunContext
from pydantic_ai.exceptions import ApprovalRequired, CallDeferred, ModelRetry, ToolFailed
from pydantic_ai.toolsets import FunctionToolset, ToolsetTool

from athenaeum.database.connection import transient
from athenaeum.domain.turn import StepStarted
from athenaeum.errors import AthenaeumError, RetryLater
from athenaeum.observability.metrics import TOOL_ERRORS, TOOL_SECONDS
from athenaeum.tools.grant import Grant

log = structlog.get_logger(__name__)

_OUT_OF_TIME = "The tool took too long. Answer from what you have, and say that you could not look everything up."
_OUT_OF_ORDER = "The tool is out of order. Do not call it again; say that you could not look this up."
_NOT_DONE = "The tool is out of order, and nothing was done. Do not call it again; say so."
_DOUBTFUL = (
    "The tool failed in the middle, so it is not known whether this was done. Do not do it again: say so, and ask the"
    " person to look."
)


class Unavailable(Exception):  # noqa: N818 - named for what it means, like the errors of the house
    """The tool cannot be used now, for a reason that is known: it needs no traceback."""

    def __init__(self, reason: str, *, was_sent: bool) -> None:
        """`was_sent` says that what it changes may be changed all the same."""
        super().__init__(reason)
        self.was_sent = was_sent


class GuardedToolset(FunctionToolset[Grant]):
    """Tools whose failures reach the model as a plain instruction, and the operator as a log line and a metric.

    A tool's metadata may hold `label`, the words that people see while it runs, and `patience`, the time that it has
    where that is not the usual.

    A tool that changes something is added with `requires_approval=True`: it runs once a person has approved its
    very arguments; `asks` in its metadata says to that person what it does. It raises RetryLater only while nothing
    was done yet, and on doubt it is not called again.
    """

    def __init__(self, *, id: str, timeout: timedelta) -> None:  # noqa: A002 - the library's own name
        """`id` names the steps of these tools in the journal and must never change."""
        super().__init__(id=id, require_parameter_descriptions=True)
        self._patience = timeout

    async def get_tools(self, ctx: RunContext[Grant]) -> dict[str, ToolsetTool[Grant]]:
        """The tools that are granted: of the others the model hears nothing, and cannot call them."""
        tools = await super().get_tools(ctx)
        granted = ctx.deps.tools
        return tools if granted is None else {name: tool for name, tool in tools.items() if name in granted}

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Grant], tool: ToolsetTool[Grant]
    ) -> Any:
        """Call the tool, within the time it has."""
        metadata = tool.tool_def.metadata or {}
        if label := metadata.get("label"):
            await ctx.deps.progress(StepStarted(label))
        patience = metadata.get("patience", self._patience).total_seconds()
        started = time.perf_counter()
        try:
            async with asyncio.timeout(patience):
                return await super().call_tool(name, tool_args, ctx, tool)
        except (AthenaeumError, ApprovalRequired, CallDeferred, ModelRetry, ToolFailed):
            raise
        except TimeoutError as error:
            TOOL_ERRORS.labels(name).inc()
            log.warning("tool.timed_out", tool=name, seconds=patience)
            raise ToolFailed(_DOUBTFUL if ctx.tool_call_approved else _OUT_OF_TIME) from error
        except Unavailable as error:
            TOOL_ERRORS.labels(name).inc()
            log.warning("tool.unavailable", tool=name, reason=str(error))
            if ctx.tool_call_approved:
                raise ToolFailed(_DOUBTFUL if error.was_sent else _NOT_DONE) from error
            raise ToolFailed(_OUT_OF_ORDER) from error
        except Exception as error:
            TOOL_ERRORS.labels(name).inc()
            if ctx.tool_call_approved:
                log.exception("tool.doubtful", tool=name)
                raise ToolFailed(_DOUBTFUL) from error
            if transient(error):
                # The database is away: an answer without its sources would be worse than a later one.
                raise RetryLater(f"{name}: {type(error).__name__}") from error
            log.exception("tool.failed", tool=name)
            raise ToolFailed(_OUT_OF_ORDER) from error
        finally:
            TOOL_SECONDS.labels(name).observe(time.perf_counter() - started)
