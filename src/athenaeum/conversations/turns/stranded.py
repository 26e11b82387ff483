"""Turns that nobody will bring to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, literal_column, select, text, update

from athenaeum.conversations.turns.ledger import Turn, read_row
from athenaeum.database import models
from athenaeum.errors import LeaseLost

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import LeaseToken

_LIVE = text(
    "EXISTS (SELECT FROM events WHERE events.id = turns.event_id AND events.status IN ('pending', 'processing'))"
    " OR EXISTS (SELECT FROM approvals WHERE approvals.turn_id = turns.turn_id AND approvals.decision IS NULL)"
)


async def stranded(session: AsyncSession, *, older_than: timedelta, limit: int = 100) -> list[Turn]:
    """Open turns whose event is no longer alive and that wait for no person, the oldest first."""
    row = models.Turn
    found = await session.scalars(
        select(row)
        .where(row.finished_at.is_(None), row.created_at < func.now() - older_than, ~literal_column(f"({_LIVE.text})"))
        .order_by(row.created_at)
        .limit(limit)
    )
    return [read_row(turn) for turn in found]


async def inherit(session: AsyncSession, turn: Turn, token: LeaseToken) -> Turn:
    """Become the holder of a turn that was left, so that its last one changes nothing should they wake up again.

    Raises:
        LeaseLost: It has ended, or somebody took it meanwhile.
    """
    row = models.Turn
    left = (row.turn_id == turn.id, row.fence == turn.fence, row.finished_at.is_(None))
    inherited = await session.scalar(update(row).where(*left).values(fence=token).returning(row))
    if inherited is None:
        raise LeaseLost(f"turn {turn.id} was not left: somebody took it after token {turn.fence}")
    return read_row(inherited)
