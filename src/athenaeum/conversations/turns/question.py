"""A turn as the agent is asked it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.conversations.archive import people
from athenaeum.conversations.archive.places import place
from athenaeum.domain.channel import ChannelKind, Place, Surface
from athenaeum.domain.turn import Question

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.turns.ledger import Turn


async def question(session: AsyncSession, turn: Turn) -> Question:
    """The question with the names and the place that the archive knows."""
    if turn.surface is Surface.TERMINAL:
        where = Place(turn.channel, "terminal", ChannelKind.DIRECT)
        name = str(turn.asker)
    else:
        where = await place(session, turn.channel)
        name = await people.full_name(session, turn.asker)
    return Question(
        tenant=turn.tenant,
        turn=turn.id,
        surface=turn.surface,
        text=turn.question,
        asker=turn.asker,
        asker_name=name,
        place=where,
        message_ts=turn.message_ts,
        thread_ts=turn.thread_ts,
        asked_at=turn.created_at,
        summons=turn.summons,
    )
