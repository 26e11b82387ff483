"""What a person has left here: their questions and what was made of them; for them to see, and to have erased.

The messages that they wrote are not among it: those are Slack's, and follow what becomes of them there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from athenaeum.conversations import turns
from athenaeum.conversations.appointments import book
from athenaeum.database import models
from athenaeum.database.audit import Deed, record
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.domain.turn import Occasion
from athenaeum.events import enqueue, enqueue_many

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TenantId, UserId

HOME, ERASURE = "home", "erasure"
"""The kinds of event that show a person their Home tab, and that erase what they left; payload `{"user": id}`."""

_STOPPING = timedelta(seconds=2)
"""How long a turn that is stopped may take to end; one that takes longer is looked at again later."""

_ROW = models.Turn
_HERE = _ROW.surface == Surface.SLACK.value


@dataclass(frozen=True, slots=True)
class Past:
    """A question that was answered."""

    question: str
    channel: ChannelId
    ts: MessageTs
    thread_ts: MessageTs


async def show_home(session: AsyncSession, tenant: TenantId, user: UserId, *, cause: str) -> None:
    """Have the Home tab made anew; of the same `cause` once."""
    await enqueue(session, _event(HOME, tenant, user, cause))


async def want_erasure(session: AsyncSession, tenant: TenantId, user: UserId, *, cause: str) -> None:
    """Have everything erased that the person leaves until then; of the same `cause` once."""
    await enqueue(session, _event(ERASURE, tenant, user, cause))


async def answered(session: AsyncSession, user: UserId, *, limit: int = 5) -> list[Past]:
    """The person's latest questions that a model answered."""
    found = await session.scalars(
        select(_ROW)
        .where(
            _ROW.asker_id == user,
            _HERE,
            _ROW.answered_at.is_not(None),
            _ROW.question != "",
            _ROW.answer["model"].astext != "",
            ~_ROW.whispered,
        )
        .order_by(_ROW.created_at.desc())
        .limit(limit)
    )
    return [
        Past(row.question, ChannelId(row.channel_id), MessageTs(row.message_ts), MessageTs(row.thread_ts))
        for row in found
    ]


async def kept(session: AsyncSession, user: UserId) -> tuple[int, datetime | None]:
    """How many questions of the person are kept, and since when."""
    theirs = (_ROW.asker_id == user, _HERE, _ROW.question != "")
    count, since = (await session.execute(select(func.count(), func.min(_ROW.created_at)).where(*theirs))).one()
    return count, since


async def erase(session: AsyncSession, tenant: TenantId, user: UserId) -> int:
    """Erase what the person's questions left, and have the answers that stand in Slack taken away.

    Turns that are under way are stopped, and emptied when they have ended. What digests told their channels stays, and
    what was spent, without a word of what on. Called again it finds what is new. Gives how many questions there were.
    """
    is_theirs = (_ROW.asker_id == user, _HERE, _ROW.occasion.is_distinct_from(Occasion.DIGEST.value))
    mine = select(_ROW).where(*is_theirs).order_by(_ROW.turn_id)
    rows = [turns.read_row(row) for row in await session.scalars(mine.with_for_update())]
    for turn in rows:
        if turn.finished_at is None:
            await turns.stop(session, turn.id, user=user, channel=turn.channel)
    ended = [turn.id for turn in rows if turn.finished_at is not None]
    unread = {turn.id for turn in rows if turn.question or turn.finished_at is None}
    await turns.empty(session, ended)
    for appointment in await book.listed(session, owner=user):
        await book.end(session, tenant, appointment.id)
    for statement in _ERASE:
        await session.execute(text(statement), {"user": user, "tenant": tenant})
    gone = [
        replace(turns.withdrawal(turn), delay=timedelta(0) if turn.finished_at else _STOPPING)
        for turn in rows
        if turn.id in unread
    ]
    await enqueue_many(session, gone)
    await record(session, Deed.ERASED, tenant=tenant, actor=user, subject=user, questions=len(unread))
    return len(unread)


# One that waits still is told to nobody then. One that is just being told ends without its words.
_NOTICES = (
    "UPDATE {table} SET payload = '{{}}' WHERE tenant_id = :tenant AND kind = 'notice' AND payload ->> 'user' = :user"
)
_ERASE = (
    "DELETE FROM commands WHERE user_id = :user AND turn_id IS NULL",
    "DELETE FROM feedback WHERE user_id = :user",
    _NOTICES.format(table="queued_events"),
    _NOTICES.format(table="finished_events"),
    _NOTICES.format(table="failed_events"),
)


def _event(kind: str, tenant: TenantId, user: UserId, cause: str) -> NewEvent:
    return NewEvent(
        kind=kind,
        payload={"user": user},
        tenant=tenant,
        dedupe_key=f"{kind}:{user}:{cause}",
        ordering_key=f"{HOME}:{user}",
        fair_key=user,
    )
