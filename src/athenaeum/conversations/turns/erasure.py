"""What is left of a turn whose question was deleted after it was begun: nothing that anybody said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, or_, select, update

from athenaeum.conversations.turns.answers import to_json
from athenaeum.conversations.turns.ledger import Turn, read_row, withdrawn
from athenaeum.database import models
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import NewEvent
from athenaeum.domain.turn import Answer
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, MessageTs

WITHDRAWAL = "withdrawal"
"""The kind of event that takes an answer away; its payload is `{"turn": id}`."""

_ROW = models.Turn


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
    await enqueue(
        session,
        NewEvent(
            kind=WITHDRAWAL,
            payload={"turn": str(turn.id)},
            tenant=turn.tenant,
            dedupe_key=f"{WITHDRAWAL}:{turn.id}",
            ordering_key=f"{turn.channel}:{turn.thread_ts}",
            fair_key=turn.asker,
        ),
    )


async def empty(session: AsyncSession, turn: Turn) -> None:
    """Forget the words of a finished turn: its question, its answer and what was read for it. What it cost stays."""
    answer = None if turn.answer is None else to_json(Answer("", model=turn.answer.model, usage=turn.answer.usage))
    gone = {"question": "", "answer": answer, "state": "cancelled", "error": "the question was deleted"}
    await session.execute(update(_ROW).where(_ROW.turn_id == turn.id).values(gone))
    await session.execute(delete(models.Step).where(models.Step.turn_id == turn.id))
    said = models.Feedback
    await session.execute(update(said).where(said.turn_id == turn.id).values(reason=None))
    part = models.TurnMessage
    await session.execute(update(part).where(part.turn_id == turn.id).values(words=""))
