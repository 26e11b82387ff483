"""Turns that are refused at the door: they never get an event, and their asker alone is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from athenaeum.database import models

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TurnId

_ROW = models.Turn
_SOON = timedelta(seconds=5)
"""Whoever refused a turn tells its asker within this time, or has died."""


async def refuse(session: AsyncSession, turn: TurnId, *, reason: str) -> None:
    """End a turn that was just opened; its message stays one that has had its turn."""
    await session.execute(
        update(_ROW)
        .where(_ROW.turn_id == turn, _ROW.event_id.is_(None))
        .values(state="cancelled", error=reason, finished_at=func.now())
    )


async def untold(session: AsyncSession, turn: TurnId) -> bool:
    """Whether the asker of a refused turn was never told: whoever was to do it has died."""
    forgotten = select(_ROW.turn_id).where(
        _ROW.turn_id == turn,
        _ROW.state == "cancelled",
        _ROW.event_id.is_(None),
        _ROW.answered_at.is_(None),
        _ROW.finished_at < func.now() - _SOON,
    )
    return (await session.execute(forgotten)).first() is not None


async def note_told(session: AsyncSession, turn: TurnId) -> None:
    """The asker of a refused turn has been told."""
    await session.execute(update(_ROW).where(_ROW.turn_id == turn).values(answered_at=func.now()))
