"""A question in the archive that nobody has begun to answer."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations import turns
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs, TurnId, UserId

CHANNEL, ASKER, TS = ChannelId("C1"), UserId("U1"), MessageTs("1700000000.000100")


async def ask(session: AsyncSession, question: str) -> TurnId:
    """Asked by `ASKER` at the head of a thread in `CHANNEL`."""
    turn = await turns.open_turn(
        session,
        tenant=DEFAULT_TENANT,
        surface=Surface.SLACK,
        channel=CHANNEL,
        message_ts=TS,
        thread_ts=TS,
        asker=ASKER,
        question=question,
    )
    assert turn is not None
    return turn
