"""The two searches that every answer begins with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import Field
from pydantic_ai import RunContext
from pydantic_ai.messages import ToolReturn

from athenaeum.domain.passage import Origin, Passage
from athenaeum.llm import evidence, quoting
from athenaeum.tools.grant import Grant
from athenaeum.tools.quarantine import visible

Query = Annotated[str, Field(min_length=2, max_length=300)]
Limit = Annotated[int, Field(ge=1, le=10)]

_TEXT_LIMIT = 1500  # characters of one passage; ten of them are some 4,000 tokens
_NOTHING = "Nothing was found. Try once more with other words; if that fails too, say that you could not find it."


async def search_documents(ctx: RunContext[Grant], query: Query, limit: Limit = 6) -> ToolReturn:  # noqa: D417 - for the model, which never sees ctx
    """Search the team's documents: manuals, guides, runbooks, decisions, anything that was written to last.

    Use it first for how something works or should be done. Returns passages, best first, each with a label
    such as [S12] to cite it by.

    Args:
        query: A short question or the words you expect in the text. Search for one thing at a time.
        limit: How many passages to return.
    """
    return await _search(ctx.deps, query, Origin.DOCUMENT, limit)


async def search_messages(ctx: RunContext[Grant], query: Query, limit: Limit = 6) -> ToolReturn:  # noqa: D417 - for the model, which never sees ctx
    """Search what people wrote in the conversations that everyone here may read.

    Use it for what was said, decided, tried or announced, who knows about something, and how things are right
    now. Messages can be out of date or wrong: look at their age, and prefer a document where they disagree about
    how something works. Returns messages, best first, each with a label such as [S12] to cite it by.

    Args:
        query: A short question or the words you expect in the text. Search for one thing at a time.
        limit: How many messages to return.
    """
    return await _search(ctx.deps, query, Origin.MESSAGE, limit)


async def _search(grant: Grant, query: str, origin: Origin, limit: int) -> ToolReturn:
    found = await grant.index.search(query, audience=grant.audience, origins=frozenset({origin}), limit=limit)
    passages = [replace(passage, text=quoting.cut(visible(passage.text), _TEXT_LIMIT)) for passage in found]
    shown = "\n\n".join(
        grant.quarantine.wrap(_render(passage, grant.now), origin=passage.origin, label=passage.label)
        for passage in passages
    )
    return ToolReturn(shown or _NOTHING, metadata=evidence.attach(passages))


def _render(passage: Passage, now: datetime) -> str:
    facts = [passage.source, passage.author, _age(passage.written_at, now)]
    return f"{', '.join(fact for fact in facts if fact)}\n\n{passage.text}"


def _age(written_at: datetime | None, now: datetime) -> str | None:
    if written_at is None:
        return None
    days = max((now - written_at).days, 0)
    if days < 1:
        return "written today"
    if days < 60:
        return f"written {days} day{'s' if days > 1 else ''} ago"
    return f"written {days // 30} months ago" if days < 730 else f"written {days // 365} years ago"
