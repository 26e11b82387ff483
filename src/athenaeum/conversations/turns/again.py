"""Trying a failed turn again: the same turn, whose message becomes "Thinking…" and then the answer."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import null, select, update

from athenaeum.conversations.turns.approvals import changed
from athenaeum.conversations.turns.ledger import Turn, read_row
from athenaeum.conversations.turns.queueing import enqueue_turn
from athenaeum.conversations.turns.stopping import may_decide
from athenaeum.database import models

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, TurnId, UserId

_ROW = models.Turn


class Repeating(StrEnum):
    """What became of the wish to try again."""

    BEGUN = "begun"
    NOT_YOURS = "not yours"
    OVER = "over"
    """It has not failed, or is being tried again already, or may have changed something."""


async def repeat(
    session: AsyncSession, turn: TurnId, *, user: UserId, channel: ChannelId
) -> tuple[Repeating, Turn | None]:
    """Begin a failed turn again, once for each failure; the turn is None when there is none in the channel."""
    row = await session.scalar(select(_ROW).where(_ROW.turn_id == turn, _ROW.channel_id == channel).with_for_update())
    if row is None:
        return Repeating.OVER, None
    found = read_row(row)
    if not await may_decide(session, found, user):
        return Repeating.NOT_YOURS, found
    if row.state != "failed" or found.finished_at is None or not await is_repeatable(session, turn):
        return Repeating.OVER, found
    begun = await session.scalar(
        update(_ROW)
        .where(_ROW.turn_id == turn)
        .values(state="waiting", answer=null(), error=None, finished_at=None, repeats=_ROW.repeats + 1)
        .returning(_ROW)
        .execution_options(populate_existing=True)
    )
    assert begun is not None  # it is locked
    await enqueue_turn(session, read_row(begun), cause=f"again:{turn}:{begun.repeats}")
    return Repeating.BEGUN, found


async def is_repeatable(session: AsyncSession, turn: TurnId) -> bool:
    """Whether nothing was proposed in the turn and nothing changed: only then can all of it be done once more."""
    asked = select(models.Approval.approval_id).where(models.Approval.turn_id == turn).limit(1)
    return (await session.execute(asked)).first() is None and not await changed(session, turn)
