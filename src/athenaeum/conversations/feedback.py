"""What people say of answers: up or down, each person's newest word; the tenant is the session's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.database import models
from athenaeum.domain.identity import ChannelId, TurnId, UserId

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

_ROW = models.Feedback
_TURN = models.Turn


class Rating(StrEnum):
    """Whether an answer was of use."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one person said of one answer."""

    turn: TurnId
    user: UserId
    verdict: Rating
    given_at: datetime
    channel: ChannelId
    question: str
    reason: str | None = None
    """What was wrong, in their own words."""


async def give(
    session: AsyncSession, turn: TurnId, *, user: UserId, channel: ChannelId, verdict: Rating, at: datetime
) -> bool:
    """Keep a person's word of a turn, unless a later one of theirs is known; False also where there is no such answer.

    `at` is when they said it, by Slack's clock: clicks may come late, twice and out of order.
    """
    if not await _stands(session, turn, _TURN.channel_id == channel):
        return False
    given = insert(_ROW).values(
        tenant_id=func.athenaeum_tenant(), turn_id=turn, user_id=user, verdict=verdict, given_at=at
    )
    newer = given.on_conflict_do_update(
        index_elements=["tenant_id", "turn_id", "user_id"],
        set_={
            "verdict": given.excluded.verdict,
            "given_at": given.excluded.given_at,
            "reason": case((_ROW.verdict == given.excluded.verdict, _ROW.reason)),
        },
        where=_ROW.given_at < given.excluded.given_at,
    )
    return await session.scalar(newer.returning(_ROW.user_id)) is not None


async def explain(session: AsyncSession, turn: TurnId, *, user: UserId, at: datetime, reason: str) -> bool:
    """Keep why somebody found an answer of no help; False when they have found it helpful since, or said more.

    False too when the answer is gone: what was said of it is erased with it.

    `at` is when they gave the word that this is the reason for.
    """
    if not await _stands(session, turn):
        return False
    newest = or_(_ROW.explained_at.is_(None), _ROW.explained_at <= at)
    said = (_ROW.turn_id == turn, _ROW.user_id == user, _ROW.verdict == Rating.DOWN, newest)
    kept = update(_ROW).where(*said).values(reason=reason, explained_at=at)
    return await session.scalar(kept.returning(_ROW.user_id)) is not None


async def _stands(session: AsyncSession, turn: TurnId, *where: ColumnElement[bool]) -> bool:
    """Whether there is something to judge; the turn is not emptied before the session ends."""
    standing = select(_TURN.turn_id).where(_TURN.turn_id == turn, _TURN.state != "cancelled", *where)
    return (await session.execute(standing.with_for_update(read=True))).first() is not None


async def reason_of(session: AsyncSession, turn: TurnId, user: UserId) -> str | None:
    """What somebody has said so far of why the answer was of no help."""
    return await session.scalar(select(_ROW.reason).where(_ROW.turn_id == turn, _ROW.user_id == user))


async def latest(session: AsyncSession, *, limit: int = 50) -> list[Opinion]:
    """The newest opinions first."""
    found = select(_ROW, _TURN).join(_TURN, _TURN.turn_id == _ROW.turn_id)
    rows = await session.execute(found.order_by(_ROW.given_at.desc()).limit(limit))
    return [
        Opinion(
            turn=TurnId(row.turn_id),
            user=UserId(row.user_id),
            verdict=Rating(row.verdict),
            given_at=row.given_at,
            channel=ChannelId(turn.channel_id),
            question=turn.question,
            reason=row.reason,
        )
        for row, turn in rows
    ]
