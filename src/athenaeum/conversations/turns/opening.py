"""The beginning of a turn: its row and its event, in the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert

from athenaeum.conversations.turns.ledger import read_row
from athenaeum.conversations.turns.queueing import enqueue_turn
from athenaeum.database import models
from athenaeum.domain.identity import turn_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.channel import Surface
    from athenaeum.domain.identity import ChannelId, MessageTs, TenantId, TurnId, UserId
    from athenaeum.domain.turn import Summons


async def open_turn(  # noqa: PLR0913 - the columns of a turn, each of them given
    session: AsyncSession,
    *,
    tenant: TenantId,
    surface: Surface,
    channel: ChannelId,
    message_ts: MessageTs,
    thread_ts: MessageTs,
    asker: UserId,
    question: str,
    whispered: bool = False,
    summons: Summons | None = None,
    admit: Callable[[TurnId], Awaitable[None]] | None = None,
) -> TurnId | None:
    """Open the turn of a message and enqueue its event; None when the message has its turn already.

    `session` is the tenant's. Both are there when the caller commits, or neither. `admit` is asked once the turn is
    known to be new; when it raises, the turn is there without an event, and the caller refuses it or rolls back.
    Of a `whispered` turn the asker alone sees the answer. One with a `summons` has no message: its `message_ts` is
    made up.
    """
    turn = turn_id(tenant, channel, message_ts)
    row = {"tenant_id": tenant, "turn_id": turn, "surface": surface.value, "channel_id": channel}
    row |= {"message_ts": message_ts, "thread_ts": thread_ts, "asker_id": asker, "question": question}
    if whispered:
        row |= {"whispered": True}
    if summons is not None:
        row |= {"occasion": summons.occasion, "appointment_id": summons.appointment, "since": summons.since}
    opened = await session.scalar(insert(models.Turn).values(row).on_conflict_do_nothing().returning(models.Turn))
    if opened is None:
        return None
    if admit is not None:
        await admit(turn)
    await enqueue_turn(session, read_row(opened), cause=f"turn:{turn}")
    return turn
