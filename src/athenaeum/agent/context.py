"""What the agent knows before it begins: who asks, where, and what was said there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.agent.prompts import Setting
from athenaeum.conversations.archive import history, people, threads
from athenaeum.conversations.archive.history import Line
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import TenantId, UserId
from athenaeum.domain.turn import Question
from athenaeum.tenants import register
from athenaeum.tenants.personas import persona_for
from athenaeum.tools.quarantine import visible

_THREAD_LINES, _THREAD_CHARACTERS = 50, 8000
_RECENT_LINES, _RECENT_CHARACTERS = 6, 2000
_LINE_CHARACTERS = 1500
_NAME_CHARACTERS = 60
_DIRECT = "a direct message"


@dataclass(frozen=True, slots=True)
class Context:
    """The setting, and the conversation as plain text; either part of it may be empty."""

    setting: Setting
    thread: str
    recent: str


async def gather(database: DatabaseConnection, question: Question) -> Context:
    """Read the context of a question from our own store."""
    surroundings = await setting(database, question)
    async with database.session(question.tenant) as session:
        thread = await _thread(session, question)
        recent = await _recent(session, question)
    return Context(surroundings, thread=told(thread, _THREAD_CHARACTERS), recent=told(recent, _RECENT_CHARACTERS))


async def setting(database: DatabaseConnection, question: Question) -> Setting:
    """Who asks whom, and where: all of it but the conversation."""
    tenant = await register.get(database, question.tenant)
    async with database.session(question.tenant) as session:
        persona = await persona_for(session, question.place.id, question.asker)
    return Setting(
        company_name=tenant.company_name,
        domain_areas=tenant.domain_areas,
        current_date=f"{question.asked_at:%A, %-d %B %Y}",
        user_name=_name(question.asker_name),
        channel_name=_place_name(question.place),
        persona=persona,
    )


async def talk(database: DatabaseConnection, tenant: TenantId, user: UserId) -> Setting:
    """A direct message in which nothing was asked yet."""
    workspace = await register.get(database, tenant)
    async with database.session(tenant) as session:
        persona = await persona_for(session, None, user)
        name = await people.full_name(session, user)
    return Setting(
        company_name=workspace.company_name,
        domain_areas=workspace.domain_areas,
        current_date=f"{datetime.now(UTC):%A, %-d %B %Y}",
        user_name=_name(name),
        channel_name=_DIRECT,
        persona=persona,
    )


async def _thread(session: AsyncSession, question: Question) -> list[Line]:
    """The thread up to the question: what came later is another turn's, or our own placeholder."""
    if question.thread_ts == question.message_ts:
        return []
    lines = await history.thread(session, question.place.id, question.thread_ts, limit=_THREAD_LINES)
    forgotten = await threads.forgotten(session, question.place.id, question.thread_ts) or ""
    return [line for line in lines if forgotten < line.ts < question.message_ts]


async def _recent(session: AsyncSession, question: Question) -> list[Line]:
    """What was said outside of threads before this one began."""
    lines = await history.recent(session, question.place.id, question.thread_ts, limit=_RECENT_LINES)
    forgotten = await threads.forgotten(session, question.place.id, threads.OUTSIDE) or ""
    return [line for line in lines if line.ts > forgotten]


def _place_name(place: Place) -> str:
    if place.kind in {ChannelKind.DIRECT, ChannelKind.GROUP}:
        return _DIRECT
    return f"#{_name(place.name)}" if place.name else "a channel"


def _name(name: str) -> str:
    """A name in the system prompt must stay a name, whatever its owner put into the profile."""
    return " ".join(visible(name).split())[:_NAME_CHARACTERS] or "somebody"


def told(lines: Sequence[Line], limit: int) -> str:
    """Lines as text: the first, which says what it is about, and as many of the last as fit in `limit`."""
    if not lines:
        return ""
    first, *rest = [_line(line) for line in lines]
    room = limit - len(first)
    kept: list[str] = []
    for line in reversed(rest):
        room -= len(line)
        if room < 0:
            kept.append("[…]")
            break
        kept.append(line)
    return "\n".join([first, *reversed(kept)])


def _line(line: Line) -> str:
    author = f"{line.author_name} (a bot)" if line.is_bot else line.author_name
    return f"{author}, {line.sent_at:%Y-%m-%d %H:%M}: {line.text[:_LINE_CHARACTERS]}"
