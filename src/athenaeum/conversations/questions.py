"""Questions that nobody has begun to answer: the person may still reword or withdraw them."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.turns import TURNS_CHANNEL
from athenaeum.database.models import Turn
from athenaeum.domain.identity import ChannelId, MessageTs


async def reword(session: AsyncSession, channel: ChannelId, ts: MessageTs, question: str) -> None:
    """Ask the edited question instead; a turn that has begun keeps what it was asked."""
    waiting = (Turn.channel_id == channel, Turn.message_ts == ts, Turn.state == "waiting")
    await session.execute(update(Turn).where(*waiting).values(question=question))


async def withdraw(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> None:
    """End the turn of a deleted message before it begins; one that has begun goes on."""
    waiting = (Turn.channel_id == channel, Turn.message_ts == ts, Turn.state == "waiting")
    ended = {"state": "cancelled", "error": "the message was deleted", "finished_at": func.now()}
    turn = await session.scalar(update(Turn).where(*waiting).values(ended).returning(Turn.turn_id))
    if turn is not None:
        await session.execute(select(func.pg_notify(TURNS_CHANNEL, str(turn))))
