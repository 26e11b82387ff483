"""Turns that wait for a person, as an operator looks at them; the tenant is the session's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from athenaeum.database import models
from athenaeum.domain.identity import ChannelId, TurnId, UserId

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_ROW = models.Approval
_TURN = models.Turn


@dataclass(frozen=True, slots=True)
class Parked:
    """What a turn waits for its asker to decide; of what the tools would be called with nothing."""

    turn: TurnId
    asker: UserId
    channel: ChannelId
    question: str
    tools: tuple[str, ...]
    asked_at: datetime
    expires_at: datetime
    """From then on the janitor ends it."""


async def parked(session: AsyncSession, *, limit: int = 50) -> list[Parked]:
    """The turns that wait for a decision, those that expire first before others."""
    waiting = select(_ROW, _TURN).join(_TURN, _TURN.turn_id == _ROW.turn_id)
    waiting = waiting.where(_ROW.decision.is_(None), _TURN.finished_at.is_(None))
    rows = await session.execute(waiting.order_by(_ROW.expires_at).limit(limit))
    return [
        Parked(
            turn=TurnId(turn.turn_id),
            asker=UserId(turn.asker_id),
            channel=ChannelId(turn.channel_id),
            question=turn.question,
            tools=tuple(str(call["tool"]) for call in row.calls),
            asked_at=row.asked_at,
            expires_at=row.expires_at,
        )
        for row, turn in rows
    ]
