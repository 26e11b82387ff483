"""Questions that nobody has begun to answer: the person may still reword them."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.models import Turn
from athenaeum.domain.identity import ChannelId, MessageTs


async def reword(session: AsyncSession, channel: ChannelId, ts: MessageTs, question: str) -> None:
    """Ask the edited question instead; a turn that has begun keeps what it was asked."""
    waiting = (Turn.channel_id == channel, Turn.message_ts == ts, Turn.state == "waiting")
    await session.execute(update(Turn).where(*waiting).values(question=question))
