"""A turn's event in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from athenaeum.database import models
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import NewEvent
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.turns.ledger import Turn

TURN = "turn"
"""The kind of event that asks for an answer in Slack; its payload is `{"turn": id}`."""
ASK = "ask"
"""The same from the terminal: any worker answers it, also one that knows no workspace."""


async def enqueue_turn(session: AsyncSession, turn: Turn, *, cause: str) -> None:
    """Have the turn worked on, behind the questions of its thread that are waiting already; once for each `cause`."""
    event = await enqueue(
        session,
        NewEvent(
            kind=TURN if turn.surface is Surface.SLACK else ASK,
            payload={"turn": str(turn.id)},
            tenant=turn.tenant,
            dedupe_key=cause,
            ordering_key=f"{turn.channel}:{turn.thread_ts}",
            fair_key=turn.asker,
        ),
    )
    if event is not None:
        await session.execute(update(models.Turn).where(models.Turn.turn_id == turn.id).values(event_id=event))
