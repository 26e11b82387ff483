"""Stopping a turn: "Stopped." is saved in the place of its answer, so that the first of the two has the last word.

What was saved is shown by an event of its own, which no thread and no busy worker holds up. Its token is newer than
that of whoever works on the turn, who stops at the next look; a worker that dies forgets nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, select, true, update

from athenaeum.conversations.turns.answers import to_json
from athenaeum.conversations.turns.approvals import changed
from athenaeum.conversations.turns.ledger import Turn, read_row
from athenaeum.database import models
from athenaeum.domain.approval import Decision
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import TurnId
from athenaeum.domain.turn import Answer
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, MessageTs, UserId

STOP = "stop"
"""The kind of event that shows that a turn was stopped; its payload is `{"turn": id}`."""
STOPPED = "Stopped."
_CHANGED = " Something that you approved may have been done already."
_AT_ONCE = 100
"""The priority of the event: somebody looks at a button and waits."""

_ROW = models.Turn
_PERSON = models.SlackUser


class Stopping(StrEnum):
    """What became of the wish to stop."""

    STOPPED = "stopped"
    NOT_YOURS = "not yours"
    OVER = "over"
    """There is nothing to stop: it was answered, or stopped before."""


async def stop(
    session: AsyncSession, turn: TurnId, *, user: UserId, channel: ChannelId
) -> tuple[Stopping, Turn | None]:
    """Stop a turn unless it has its answer; the turn is None when there is no such turn in the channel.

    Only its asker and the workspace's admins may.
    """
    of_channel = select(_ROW).where(_ROW.turn_id == turn, _ROW.channel_id == channel)
    row = await session.scalar(of_channel.with_for_update())
    if row is None:
        return Stopping.OVER, None
    found = read_row(row)
    if not await may_decide(session, found, user):
        return Stopping.NOT_YOURS, found
    if found.finished_at is not None or found.answer is not None:
        return Stopping.OVER, found
    await _stop(session, found, user)
    return Stopping.STOPPED, found


async def stop_thread(
    session: AsyncSession, channel: ChannelId, thread_ts: MessageTs, *, user: UserId, before: MessageTs | None = None
) -> Stopping:
    """Stop every turn of a thread that has no answer yet and that the user may stop.

    `before` is the message that says so, where one does: what is asked after it goes on, however late it comes.
    """
    open_ones = select(_ROW).where(
        _ROW.channel_id == channel,
        _ROW.thread_ts == thread_ts,
        _ROW.surface == Surface.SLACK.value,
        _ROW.finished_at.is_(None),
        _ROW.answer.is_(None),
        true() if before is None else _ROW.message_ts < before,
    )
    found = [read_row(row) for row in await session.scalars(open_ones.order_by(_ROW.message_ts).with_for_update())]
    mine = [turn for turn in found if await may_decide(session, turn, user)]
    for turn in mine:
        await _stop(session, turn, user)
    if mine:
        return Stopping.STOPPED
    return Stopping.NOT_YOURS if found else Stopping.OVER


async def may_decide(session: AsyncSession, turn: Turn, user: UserId) -> bool:
    """Whether somebody may end a turn or begin it again: its asker, and the workspace's admins."""
    if user == turn.asker:
        return True
    admin = select(_PERSON.user_id).where(_PERSON.user_id == user, _PERSON.is_admin, ~_PERSON.is_deleted)
    return (await session.execute(admin)).first() is not None


async def _stop(session: AsyncSession, turn: Turn, user: UserId) -> None:
    said = STOPPED + (_CHANGED if await changed(session, turn.id) else "")
    await session.execute(
        update(_ROW)
        .where(_ROW.turn_id == turn.id)
        .values(answer=to_json(Answer(said)), answered_at=func.now(), state="answered", stopped_by=user)
    )
    asked = (models.Approval.turn_id == turn.id, models.Approval.decision.is_(None))
    await session.execute(
        update(models.Approval).where(*asked).values(decision=Decision.SUPERSEDED, decided_at=func.now())
    )
    await enqueue(
        session,
        NewEvent(
            kind=STOP,
            payload={"turn": str(turn.id)},
            tenant=turn.tenant,
            dedupe_key=f"{STOP}:{turn.id}",
            fair_key=turn.asker,
            priority=_AT_ONCE,
        ),
    )
