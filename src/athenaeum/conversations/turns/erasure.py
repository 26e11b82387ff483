"""What is left of a turn whose question was deleted after it was begun: nothing that anybody said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select, update

from athenaeum.conversations.turns.ledger import Turn, read_row, withdrawn
from athenaeum.database import models
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import NewEvent
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, MessageTs, TurnId

WITHDRAWAL = "withdrawal"
"""The kind of event that takes an answer away; its payload is `{"turn": id}`."""

_ROW = models.Turn
_WORDS: tuple[tuple[Any, str, object], ...] = (
    (models.TurnMessage, "words", ""),
    (models.Approval, "calls", []),
    (models.Feedback, "reason", None),
)
"""What else holds words of a turn, and what is left in their place."""


async def withdraw(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> None:
    """Take away what was answered to a message that was deleted, unless other messages of the question stand.

    A question that nobody has begun is cancelled by its own event.
    """
    part = models.TurnMessage
    shared = select(part.turn_id).where(part.channel_id == channel, part.message_ts == ts, part.words != "")
    found = select(_ROW).where(
        _ROW.channel_id == channel,
        or_(_ROW.message_ts == ts, _ROW.turn_id.in_(shared)),
        _ROW.surface == Surface.SLACK.value,
        _ROW.state != "waiting",
        _ROW.event_id.is_not(None),
    )
    row = await session.scalar(found.with_for_update())
    if row is None or not await withdrawn(session, turn := read_row(row)):
        return
    await enqueue(session, withdrawal(turn))


def withdrawal(turn: Turn) -> NewEvent:
    """The event that takes the turn's answer away, once it has ended."""
    return NewEvent(
        kind=WITHDRAWAL,
        payload={"turn": str(turn.id)},
        tenant=turn.tenant,
        dedupe_key=f"{WITHDRAWAL}:{turn.id}",
        ordering_key=f"{turn.channel}:{turn.thread_ts}",
        fair_key=turn.asker,
    )


async def empty(session: AsyncSession, turns: Collection[TurnId]) -> None:
    """Forget the words of finished turns: questions, answers and what was read for them. What they cost stays."""
    bare = _ROW.answer.concat({"text": "", "citations": []})  # nothing stays nothing
    gone = {"question": "", "answer": bare, "state": "cancelled", "error": "the question was deleted"}
    await session.execute(update(_ROW).where(_ROW.turn_id.in_(turns)).values(gone))
    for table, column, left in _WORDS:
        await session.execute(update(table).where(table.turn_id.in_(turns)).values({column: left}))
    await session.execute(delete(models.Step).where(models.Step.turn_id.in_(turns)))
