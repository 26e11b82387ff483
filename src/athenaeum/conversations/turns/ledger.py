"""A turn's row: who holds it, what was answered, how it ended.

A turn belongs to the newest fencing token that took it. Every write names the token it was taken with; a token
that is no longer the newest raises LeaseLost and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, null, or_, select, update

from athenaeum.conversations.archive.messages import at
from athenaeum.conversations.turns.answers import from_json, to_json
from athenaeum.database import models
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import AppointmentId, ChannelId, EventId, LeaseToken, MessageTs, TenantId, TurnId, UserId
from athenaeum.domain.turn import Occasion, Summons
from athenaeum.errors import Discard, LeaseLost

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.turn import Answer

TURNS_CHANNEL = "athenaeum_turns"
"""NOTIFY channel; the payload is the id of a turn that has ended."""

_ROW = models.Turn


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it stood when it was read; `fence` is the token of its holder, 0 before anyone took it."""

    id: TurnId
    tenant: TenantId
    surface: Surface
    channel: ChannelId
    message_ts: MessageTs
    thread_ts: MessageTs
    asker: UserId
    question: str
    event: EventId | None
    fence: LeaseToken
    answer: Answer | None
    answered_at: datetime | None
    """None also where `answer` is an apology."""
    error: str | None
    stopped_by: UserId | None
    repeats: int
    """How often it was begun again after it had failed."""
    created_at: datetime
    finished_at: datetime | None
    whispered: bool
    """Nobody asked: its asker alone sees the answer."""
    summons: Summons | None = None

    @property
    def is_watched(self) -> bool:
        """Whether somebody waits for the answer, and is shown that it is made."""
        return self.summons is None and not self.whispered

    @property
    def stands_alone(self) -> bool:
        """Whether the answer stands in the channel itself, since there is no message to answer."""
        return self.summons is not None and self.summons.occasion is Occasion.DIGEST


async def take(
    session: AsyncSession, turn: TurnId, token: LeaseToken, *, attempt: int = 1, reopen: bool = True
) -> Turn:
    """Become the holder of a turn.

    A finished turn is given as it is, only a failed one is begun again if `reopen`. That also forgets an apology,
    told or not: whoever saved it died before the turn had ended, and it must not end as if it had been answered.
    Taking again with one's own token is no change.

    Raises:
        LeaseLost: A newer token holds the turn.
        Discard: There is no such turn (its tenant was removed).
    """
    again = (_ROW.state == "failed") & reopen
    taken = await session.scalar(
        update(_ROW)
        .where(_ROW.turn_id == turn, _ROW.fence <= token, or_(_ROW.finished_at.is_(None), again))
        .values(
            fence=token,
            attempt=attempt,
            state=case((_ROW.answered_at.is_(None), "working"), else_="answered"),
            answer=case((_ROW.answered_at.is_(None), null()), else_=_ROW.answer) if reopen else _ROW.answer,
            error=None if reopen else _ROW.error,
            started_at=func.coalesce(_ROW.started_at, func.now()),
            finished_at=None,
        )
        .returning(_ROW)
    )
    if taken is not None:
        return read_row(taken)
    found = await look(session, turn)
    if found.finished_at is None:
        raise _lost(turn, token)
    return found


async def withdrawn(session: AsyncSession, turn: Turn) -> bool:
    """Whether the question was deleted by its author: every message of it, where there are several."""
    message, part = models.SlackMessage, models.TurnMessage
    deleted = select(message.deleted_at).where(*at(turn.channel, turn.message_ts), message.deleted_at.is_not(None))
    if (await session.execute(deleted)).first() is None:
        return False
    parts = select(part.message_ts).where(part.turn_id == turn.id, part.words != "")
    others = [MessageTs(ts) for ts in await session.scalars(parts) if ts != turn.message_ts]
    if not others:
        return True
    standing = select(message.ts).where(*at(turn.channel, *others), message.deleted_at.is_(None))
    return (await session.execute(standing)).first() is None


async def look(session: AsyncSession, turn: TurnId) -> Turn:
    """The turn as it stands; Discard when there is none."""
    row = await session.scalar(select(_ROW).where(_ROW.turn_id == turn).execution_options(populate_existing=True))
    if row is None:
        raise Discard(f"turn {turn} is gone")
    return read_row(row)


async def stands(session: AsyncSession, turn: TurnId, token: LeaseToken) -> bool:
    """Whether `token` still holds the turn."""
    return await session.scalar(select(_ROW.fence).where(_ROW.turn_id == turn)) == token


async def check(session: AsyncSession, turn: TurnId, token: LeaseToken) -> None:
    """Raise LeaseLost unless `token` still holds the turn."""
    if not await stands(session, turn, token):
        raise _lost(turn, token)


async def save_answer(
    session: AsyncSession, turn: TurnId, token: LeaseToken, answer: Answer, *, apology: bool = False
) -> Answer:
    """Save the answer unless there is one; give the one that is saved, which alone may be shown.

    An `apology` fills the place too, until the turn is taken again; it leaves `answered_at` empty.
    """
    saved = await session.scalar(
        update(_ROW)
        .where(_ROW.turn_id == turn, _ROW.fence == token, _ROW.answer.is_(None), _ROW.finished_at.is_(None))
        .values(answer=to_json(answer), answered_at=None if apology else func.now(), state="answered")
        .returning(_ROW.answer)
    )
    if saved is not None:
        return from_json(saved)
    found = await look(session, turn)
    if found.fence != token or found.answer is None:
        raise _lost(turn, token)
    return found.answer


async def set_aside(session: AsyncSession, turn: TurnId, token: LeaseToken) -> None:
    """The turn waits for a person; whoever takes it goes on with it."""
    await _write(session, turn, token, {"state": "parked"})


async def finish(session: AsyncSession, turn: TurnId, token: LeaseToken) -> str:
    """The answer is where its reader looks: end the turn as delivered, or as stopped, and tell whoever waits."""
    return await _end(session, turn, token, state=case((_ROW.stopped_by.is_(None), "delivered"), else_="stopped"))


async def fail(session: AsyncSession, turn: TurnId, token: LeaseToken, *, error: str, owing: bool = False) -> None:
    """End the turn as failed; `owing` keeps it open for the janitor, since its reader was not told yet."""
    if owing:
        await _write(session, turn, token, {"state": "failed", "error": error})
    else:
        await _end(session, turn, token, state="failed", error=error)


async def cancel(session: AsyncSession, turn: TurnId, token: LeaseToken, *, reason: str) -> None:
    """End the turn without an answer: nobody waits for one any more."""
    await _end(session, turn, token, state="cancelled", error=reason)


async def _end(
    session: AsyncSession, turn: TurnId, token: LeaseToken, *, state: str | ColumnElement[str], error: str | None = None
) -> str:
    ended = await _write(session, turn, token, {"state": state, "error": error, "finished_at": func.now()})
    await session.execute(select(func.pg_notify(TURNS_CHANNEL, str(turn))))
    return ended


async def _write(session: AsyncSession, turn: TurnId, token: LeaseToken, values: dict[str, Any]) -> str:
    written = await session.scalar(
        update(_ROW)
        .where(_ROW.turn_id == turn, _ROW.fence == token, _ROW.finished_at.is_(None))
        .values(values)
        .returning(_ROW.state)
    )
    if written is None:
        raise _lost(turn, token)
    return written


def _lost(turn: TurnId, token: LeaseToken) -> LeaseLost:
    return LeaseLost(f"turn {turn} is no longer held by token {token}")


def read_row(row: models.Turn) -> Turn:
    """A turn from its row."""
    return Turn(
        id=TurnId(row.turn_id),
        tenant=TenantId(row.tenant_id),
        surface=Surface(row.surface),
        channel=ChannelId(row.channel_id),
        message_ts=MessageTs(row.message_ts),
        thread_ts=MessageTs(row.thread_ts),
        asker=UserId(row.asker_id),
        question=row.question,
        event=None if row.event_id is None else EventId(row.event_id),
        fence=LeaseToken(row.fence),
        answer=None if row.answer is None else from_json(row.answer),
        answered_at=row.answered_at,
        error=row.error,
        stopped_by=None if row.stopped_by is None else UserId(row.stopped_by),
        repeats=row.repeats,
        created_at=row.created_at,
        finished_at=row.finished_at,
        whispered=row.whispered,
        summons=_summons(row),
    )


def _summons(row: models.Turn) -> Summons | None:
    if row.occasion is None or row.appointment_id is None:
        return None
    due = datetime.fromtimestamp(int(row.message_ts.partition(".")[0]), UTC)
    return Summons(Occasion(row.occasion), AppointmentId(row.appointment_id), due, row.since)
