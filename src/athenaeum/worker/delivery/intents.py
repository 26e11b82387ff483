"""The rows of `deliveries`: the intent to show a message, the right to post it, and the `ts` it got.

All times are the database's: posters on machines with other clocks agree about who may post.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.database import models
from athenaeum.domain.identity import MessageTs

if TYPE_CHECKING:
    from datetime import timedelta
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.turns import Turn
    from athenaeum.domain.identity import LeaseToken

_ROW = models.Delivery


@dataclass(frozen=True, slots=True)
class Intent:
    """A message that is to be visible once. `attempts` counts those whose effect is not known to be none."""

    part: int
    generation: int
    """How often it was posted anew because the message before could not be edited any more."""
    attempts: int
    ts: MessageTs | None


async def declare(session: AsyncSession, turn: Turn, part: int) -> None:
    """Write the intent down before anything is posted."""
    row = {"tenant_id": turn.tenant, "turn_id": turn.id, "part": part}
    await session.execute(insert(_ROW).values(row).on_conflict_do_nothing())


async def read(session: AsyncSession, turn: Turn, part: int) -> Intent | None:
    """The intent as it stands."""
    row = await session.scalar(select(_ROW).where(_is(turn, part)).execution_options(populate_existing=True))
    return None if row is None else _intent(row)


async def read_all(session: AsyncSession, turn: Turn) -> list[Intent]:
    """Every intent of a turn, by part."""
    rows = await session.scalars(select(_ROW).where(_ROW.turn_id == turn.id).order_by(_ROW.part))
    return [_intent(row) for row in rows]


async def is_behind(session: AsyncSession, turn: Turn) -> bool:
    """Whether an earlier question of the thread still waits for its message, which is to stand above this one's."""
    earlier = models.Turn
    shown = exists().where(_ROW.turn_id == earlier.turn_id, _ROW.part == 0, _ROW.ts.is_not(None))
    found = await session.execute(
        select(earlier.turn_id)
        .where(earlier.channel_id == turn.channel, earlier.thread_ts == turn.thread_ts, earlier.surface == turn.surface)
        .where(earlier.message_ts < turn.message_ts, earlier.finished_at.is_(None), ~shown)
        .limit(1)
    )
    return found.first() is not None


async def lease(
    session: AsyncSession, turn: Turn, part: int, *, poster: UUID, token: LeaseToken, lasting: timedelta
) -> Intent | None:
    """Take or keep the right to post; None when the message is there, another has the right, or the fence fell."""
    holds = exists().where(models.Turn.turn_id == turn.id, models.Turn.fence == token)
    free = or_(_ROW.posting_until.is_(None), _ROW.posting_until < func.now(), _ROW.poster == poster)
    row = await session.scalar(
        update(_ROW)
        .where(_is(turn, part), _ROW.ts.is_(None), free, holds)
        .values(poster=poster, posting_until=func.now() + lasting, attempts=_ROW.attempts + 1)
        .returning(_ROW)
        .execution_options(populate_existing=True)
    )
    return None if row is None else _intent(row)


async def prolong(session: AsyncSession, turn: Turn, part: int, *, poster: UUID, lasting: timedelta) -> bool:
    """Keep the right to post for longer; False when it was lost meanwhile."""
    kept = await session.scalar(
        update(_ROW)
        .where(_is(turn, part), _ROW.ts.is_(None), _ROW.poster == poster, _ROW.posting_until > func.now())
        .values(posting_until=func.now() + lasting)
        .returning(_ROW.part)
    )
    return kept is not None


async def undo(session: AsyncSession, turn: Turn, part: int, *, poster: UUID, pause: timedelta) -> None:
    """Take back an attempt that certainly had no effect; nobody posts before `pause` has passed."""
    await session.execute(
        update(_ROW)
        .where(_is(turn, part), _ROW.ts.is_(None), _ROW.poster == poster)
        .values(attempts=func.greatest(_ROW.attempts - 1, 0), posting_until=func.now() + pause)
    )


async def hand_over(session: AsyncSession, turn: Turn, part: int, *, poster: UUID, pause: timedelta) -> None:
    """Let others post after `pause`; the attempt stays counted, so that they look for its effect first."""
    await session.execute(
        update(_ROW)
        .where(_is(turn, part), _ROW.ts.is_(None), _ROW.poster == poster)
        .values(posting_until=func.now() + pause)
    )


async def record(session: AsyncSession, turn: Turn, intent: Intent, ts: MessageTs) -> MessageTs | None:
    """Record the posted message unless another was; give the one that counts."""
    recorded = await session.scalar(
        update(_ROW)
        .where(_is(turn, intent.part), _ROW.ts.is_(None), _ROW.generation == intent.generation)
        .values(ts=ts, posted_at=func.now(), posting_until=None)
        .returning(_ROW.ts)
    )
    if recorded is None:
        standing = await read(session, turn, intent.part)
        return None if standing is None else standing.ts
    return MessageTs(recorded)


async def renew(session: AsyncSession, turn: Turn, intent: Intent) -> bool:
    """Give up a message that is gone for a new generation; False when somebody did so already."""
    renewed = await session.scalar(
        update(_ROW)
        .where(_is(turn, intent.part), _ROW.generation == intent.generation, _ROW.ts.is_not_distinct_from(intent.ts))
        .values(generation=_ROW.generation + 1, ts=None, posted_at=None, poster=None, posting_until=None, attempts=0)
        .returning(_ROW.part)
    )
    return renewed is not None


def _is(turn: Turn, part: int) -> ColumnElement[bool]:
    return (_ROW.turn_id == turn.id) & (_ROW.part == part)


def _intent(row: models.Delivery) -> Intent:
    return Intent(row.part, row.generation, row.attempts, None if row.ts is None else MessageTs(row.ts))
