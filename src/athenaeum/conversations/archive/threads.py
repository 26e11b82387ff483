"""Threads that the bot listens in; the tenant is the session's, and the time is the database's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database import models
from athenaeum.domain.identity import ChannelId, MessageTs

ATTENTION = timedelta(minutes=30)
"""How long the bot listens in a thread after it was spoken to there."""
OUTSIDE = MessageTs("")
"""Stands for what is said in a direct message outside of its threads."""

_ROW = models.Thread


@dataclass(frozen=True, slots=True)
class Attention:
    """How the bot stands to a thread."""

    engaged: bool
    """It listens without being mentioned; never where it is muted."""
    muted: bool
    since: MessageTs
    """The message it listens from; what was said before is not for it, also when it comes late."""
    until: datetime


async def attention(session: AsyncSession, channel: ChannelId, thread_ts: MessageTs) -> Attention | None:
    """How the bot stands to a thread; None when it was never spoken to in it."""
    listens = (_ROW.engaged_until > func.now()).label("listens")
    row = (await session.execute(select(_ROW, listens).where(*_is(channel, thread_ts)))).one_or_none()
    if row is None:
        return None
    thread: models.Thread = row[0]
    return Attention(
        engaged=row.listens and not thread.muted,
        muted=thread.muted,
        since=MessageTs(thread.since_ts),
        until=thread.engaged_until,
    )


async def engage(session: AsyncSession, channel: ChannelId, thread_ts: MessageTs, *, spoken: MessageTs) -> None:
    """The message `spoken` was for the bot: listen from it on, or for longer; a muted thread stays so."""
    lapsed = _ROW.engaged_until <= func.now()
    await _put(
        session,
        channel,
        thread_ts,
        spoken,
        since_ts=case((lapsed, spoken), else_=_ROW.since_ts),
        engaged_until=func.now() + ATTENTION,
    )


async def mute(session: AsyncSession, channel: ChannelId, thread_ts: MessageTs, *, spoken: MessageTs) -> None:
    """Listen no more in this thread until told to; a mention is answered all the same."""
    await _put(session, channel, thread_ts, spoken, muted=True)


async def unmute(session: AsyncSession, channel: ChannelId, thread_ts: MessageTs, *, spoken: MessageTs) -> None:
    """Listen again, from this message on."""
    await _put(session, channel, thread_ts, spoken, muted=False, since_ts=spoken, engaged_until=func.now() + ATTENTION)


async def forget(session: AsyncSession, channel: ChannelId, thread_ts: MessageTs, *, spoken: MessageTs) -> None:
    """Stop listening, and go on without what was said in the thread up to this message."""
    await _put(session, channel, thread_ts, spoken, forgotten_ts=spoken, engaged_until=func.now())


async def set_muted(session: AsyncSession, channel: ChannelId, *, muted: bool) -> None:
    """Mute every thread of a channel that was ever listened in, or none of them; threads to come begin unmuted."""
    await session.execute(update(_ROW).where(_ROW.channel_id == channel).values(muted=muted))


async def forget_all(session: AsyncSession, channel: ChannelId, *, spoken: MessageTs) -> None:
    """`forget` for every thread of a channel, and for what is said there outside of threads."""
    await forget(session, channel, OUTSIDE, spoken=spoken)
    there = update(_ROW).where(_ROW.channel_id == channel)
    await session.execute(there.values(forgotten_ts=spoken, engaged_until=func.now()))


async def forgotten(session: AsyncSession, channel: ChannelId, thread_ts: MessageTs) -> MessageTs | None:
    """The message up to which the bot was told to forget the thread."""
    found = await session.scalar(select(_ROW.forgotten_ts).where(*_is(channel, thread_ts)))
    return None if found is None else MessageTs(found)


async def _put(
    session: AsyncSession, channel: ChannelId, thread_ts: MessageTs, spoken: MessageTs, **change: object
) -> None:
    new = {"since_ts": spoken, "engaged_until": func.now() + ATTENTION}
    new |= {name: value for name, value in change.items() if name != "since_ts"}
    statement = insert(_ROW).values(tenant_id=func.athenaeum_tenant(), channel_id=channel, thread_ts=thread_ts, **new)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["tenant_id", "channel_id", "thread_ts"], set_=change)
    )


def _is(channel: ChannelId, thread_ts: MessageTs) -> tuple[ColumnElement[bool], ...]:
    return _ROW.channel_id == channel, _ROW.thread_ts == thread_ts
