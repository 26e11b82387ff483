"""What was said in a channel since its last digest."""

from __future__ import annotations

from dataclasses import replace

from pydantic_ai import RunContext
from pydantic_ai.messages import ToolReturn
from pydantic_ai.tools import ToolDefinition

from athenaeum.domain.passage import Origin, Passage
from athenaeum.llm import evidence, quoting
from athenaeum.tools.grant import Grant
from athenaeum.tools.quarantine import visible

_MOST = 150  # messages; of a busier channel the last ones of the period
_TEXT_LIMIT = 400  # characters of one; all of them are some 15,000 tokens
_NOTHING = "Nothing was said that everyone here may read. Say just that."
_LEFT_OUT = f"There was more: these are the last {_MOST} messages. Say so.\n\n"

READ_PERIOD = "read_period"


async def read_period(ctx: RunContext[Grant]) -> ToolReturn:
    """Read what was said in this channel in the period that the question names, in its order.

    Call it once, then sum up: what was decided, what is open and who does what, as a list of at most ten short points
    with the label of each point's messages, the most important first. Leave small talk out, and greet nobody.
    """
    grant = ctx.deps
    if grant.period is None:
        return ToolReturn(_NOTHING)
    found = await grant.index.said(grant.period, audience=grant.audience, limit=_MOST + 1)
    passages = [replace(passage, text=quoting.cut(visible(passage.text), _TEXT_LIMIT)) for passage in found[-_MOST:]]
    shown = "\n\n".join(
        grant.quarantine.wrap(_render(passage), origin=Origin.MESSAGE, label=passage.label) for passage in passages
    )
    told = (_LEFT_OUT if len(found) > _MOST else "") + shown
    return ToolReturn(told or _NOTHING, metadata=evidence.attach(passages))


async def in_digests(ctx: RunContext[Grant], tool: ToolDefinition) -> ToolDefinition | None:
    """Offer a tool only where there is a period to read."""
    return tool if ctx.deps.period is not None else None


def _render(passage: Passage) -> str:
    written = f"{passage.written_at:%A %H:%M}" if passage.written_at else ""
    return f"{', '.join(fact for fact in (passage.author, written) if fact)}\n\n{passage.text}"
