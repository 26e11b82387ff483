"""The beginning of a turn: its row and its event, in the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.database import models
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import turn_id
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, MessageTs, TenantId, TurnId, UserId

TURN = "turn"
"""The kind of event that asks for an answer in Slack; its payload is `{"turn": id}`."""
ASK = "ask"
"""The same from the terminal: any worker answers it, also one that knows no workspace."""


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
    admit: Callable[[TurnId], Awaitable[None]] | None = None,
) -> TurnId | None:
    """Open the turn of a message and enqueue its event; None when the message has its turn already.

    `session` is the tenant's. Both are there when the caller commits, or neither. `admit` is asked once the turn is
    known to be new; when it raises, the turn is there without an event, and the caller refuses it or rolls back.
    """
    turn = turn_id(tenant, channel, message_ts)
    row = {"tenant_id": tenant, "turn_id": turn, "surface": surface.value, "channel_id": channel}
    row |= {"message_ts": message_ts, "thread_ts": thread_ts, "asker_id": asker, "question": question}
    opened = await session.execute(
        insert(models.Turn).values(row).on_conflict_do_nothing().returning(models.Turn.turn_id)
    )
    if opened.first() is None:
        return None
    if admit is not None:
        await admit(turn)
    event = await enqueue(
        session,
        NewEvent(
            kind=TURN if surface is Surface.SLACK else ASK,
            payload={"turn": str(turn)},
            tenant=tenant,
            dedupe_key=f"turn:{turn}",
            ordering_key=f"{channel}:{thread_ts}",
            fair_key=asker,
        ),
    )
    await session.execute(update(models.Turn).where(models.Turn.turn_id == turn).values(event_id=event))
    return turn
