"""Calls for a human, from below an answer; the tenant is the session's.

Somebody is called once for an answer, and by one call at a time in a thread. What is shown is shown by an event, in
the order of the thread's questions, so that it is posted once whoever works on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.database import models
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import ChannelId, MessageTs, TenantId, TurnId, UserId
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

ESCALATION = "escalation"
"""The kind of event that shows a call, or that it is resolved; its payload is `{"turn": id}`."""
EVERYWHERE = ChannelId("")
"""Stands for the channels that have nobody of their own to be called."""
_AT_ONCE = 50

_ROW = models.EscalationRow
_HELPER = models.HelperRow
_TURN = models.Turn


class Calling(StrEnum):
    """What became of the wish for a human."""

    CALLED = "called"
    """Also by this very click, told again."""
    STANDING = "standing"
    """Somebody was called for this answer before, or is being called in this thread."""
    NOBODY = "nobody"
    """There is nobody to be called, or no such answer."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A call; `helper` is the id of a user group or of a person."""

    turn: TurnId
    channel: ChannelId
    thread_ts: MessageTs
    helper: str
    asked_by: UserId
    asked_at: datetime
    resolved_by: UserId | None
    resolved_at: datetime | None


async def helper_for(session: AsyncSession, channel: ChannelId) -> str | None:
    """Who is called in a channel; nobody in direct and group messages, which they could not read."""
    alone = models.SlackChannel
    few = select(alone.channel_id).where(
        alone.channel_id == channel, alone.kind.in_([ChannelKind.DIRECT.value, ChannelKind.GROUP.value])
    )
    named = select(_HELPER.helper).where(_HELPER.channel_id.in_([EVERYWHERE, channel]))
    if (await session.execute(few)).first() is not None:
        return None
    return await session.scalar(named.order_by(_HELPER.channel_id.desc()).limit(1))


async def call(session: AsyncSession, turn: TurnId, *, user: UserId, channel: ChannelId, at: datetime) -> Calling:
    """Call somebody, unless that was done; `at` is when it was asked for, by Slack's clock."""
    asked = select(_TURN.tenant_id, _TURN.thread_ts).where(_TURN.turn_id == turn, _TURN.channel_id == channel)
    found = (await session.execute(asked)).one_or_none()
    helper = await helper_for(session, channel)
    if found is None or helper is None:
        return Calling.NOBODY
    row = {"tenant_id": found.tenant_id, "turn_id": turn, "channel_id": channel, "thread_ts": found.thread_ts}
    new = insert(_ROW).values(**row, helper=helper, asked_by=user, asked_at=at).on_conflict_do_nothing()
    called = await session.scalar(new.returning(_ROW))
    if called is not None:
        await _show(session, called, "called")
        return Calling.CALLED
    standing = await escalation(session, turn)
    is_same = standing is not None and (standing.asked_by, standing.asked_at) == (user, at)
    return Calling.CALLED if is_same else Calling.STANDING


async def resolve(session: AsyncSession, turn: TurnId, *, user: UserId, channel: ChannelId) -> bool:
    """Note that somebody was helped; False when that is known, or nobody was called."""
    is_open = (_ROW.turn_id == turn, _ROW.channel_id == channel, _ROW.resolved_at.is_(None))
    resolved = update(_ROW).where(*is_open).values(resolved_by=user, resolved_at=func.now())
    row = await session.scalar(resolved.returning(_ROW))
    if row is None:
        return False
    await _show(session, row, "resolved")
    return True


async def escalation(session: AsyncSession, turn: TurnId) -> Escalation | None:
    """The call that was made from below a turn's answer."""
    row = await session.scalar(select(_ROW).where(_ROW.turn_id == turn))
    return None if row is None else _read(row)


async def latest(session: AsyncSession, *, limit: int = 50) -> list[Escalation]:
    """Those that wait first, then the newest."""
    newest = select(_ROW).order_by(_ROW.resolved_at.is_not(None), _ROW.asked_at.desc()).limit(limit)
    return [_read(row) for row in await session.scalars(newest)]


async def set_helper(session: AsyncSession, helper: str, *, channel: ChannelId = EVERYWHERE) -> None:
    """Call this group or person from now on, in one channel or wherever nobody else is named."""
    row = insert(_HELPER).values(tenant_id=func.athenaeum_tenant(), channel_id=channel, helper=helper)
    await session.execute(
        row.on_conflict_do_update(index_elements=["tenant_id", "channel_id"], set_={"helper": helper})
    )


async def unset_helper(session: AsyncSession, *, channel: ChannelId = EVERYWHERE) -> bool:
    """Take it back for exactly this channel, or for the others; False when nobody was named."""
    removed = delete(_HELPER).where(_HELPER.channel_id == channel).returning(_HELPER.helper)
    return await session.scalar(removed) is not None


async def helpers(session: AsyncSession) -> dict[ChannelId, str]:
    """Who is called in which channel; `EVERYWHERE` first."""
    rows = await session.scalars(select(_HELPER).order_by(_HELPER.channel_id))
    return {ChannelId(row.channel_id): row.helper for row in rows}


async def _show(session: AsyncSession, row: models.EscalationRow, what: str) -> None:
    await enqueue(
        session,
        NewEvent(
            kind=ESCALATION,
            payload={"turn": str(row.turn_id)},
            tenant=TenantId(row.tenant_id),
            dedupe_key=f"{ESCALATION}:{row.turn_id}:{what}",
            ordering_key=f"{row.channel_id}:{row.thread_ts}",
            priority=_AT_ONCE,
        ),
    )


def _read(row: models.EscalationRow) -> Escalation:
    return Escalation(
        turn=TurnId(row.turn_id),
        channel=ChannelId(row.channel_id),
        thread_ts=MessageTs(row.thread_ts),
        helper=row.helper,
        asked_by=UserId(row.asked_by),
        asked_at=row.asked_at,
        resolved_by=None if row.resolved_by is None else UserId(row.resolved_by),
        resolved_at=row.resolved_at,
    )
