"""Questions that were typed as slash commands: kept until they have a message, and so a thread, of their own.

That message is ours, in the direct message with the asker, and the turn hangs on it like on anybody's. An ephemeral
answer would hold no promise: Slack keeps none, so one whose response was lost can neither be found nor be posted again
without the risk of a second one, and nothing of it can be edited, stopped or judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.conversations import turns
from athenaeum.conversations.archive import channels
from athenaeum.database import models
from athenaeum.domain.channel import ChannelKind, Surface
from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import ChannelId, MessageTs, TenantId, TurnId, UserId, turn_id
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

COMMAND = "command"
"""The kind of event that has a typed question answered; its payload is `{"command": id}`."""

_ROW = models.Command


@dataclass(frozen=True, slots=True)
class TypedQuestion:
    """A question as it was typed; `turn` is None until it has one."""

    id: str
    user: UserId
    typed_in: ChannelId
    question: str
    asked_at: datetime
    turn: TurnId | None


async def ask(
    session: AsyncSession, tenant: TenantId, command: str, *, user: UserId, typed_in: ChannelId, question: str
) -> bool:
    """Have a question answered in the direct message with its asker; False when the command is known already."""
    event = await enqueue(
        session,
        NewEvent(
            kind=COMMAND,
            payload={"command": command},
            tenant=tenant,
            dedupe_key=f"{COMMAND}:{command}",
            ordering_key=f"{COMMAND}:{user}",
            fair_key=user,
        ),
    )
    if event is None:  # also of one whose asker has had it deleted
        return False
    row = {"tenant_id": tenant, "command_id": command, "user_id": user, "typed_in": typed_in, "question": question}
    await session.execute(insert(_ROW).values(row).on_conflict_do_nothing())
    return True


async def look(session: AsyncSession, command: str) -> TypedQuestion | None:
    """The question as it stands; None when its asker had their data deleted."""
    row = await session.scalar(select(_ROW).where(_ROW.command_id == command))
    if row is None:
        return None
    turn = None if row.turn_id is None else TurnId(row.turn_id)
    return TypedQuestion(row.command_id, UserId(row.user_id), ChannelId(row.typed_in), row.question, row.asked_at, turn)


async def settle(
    session: AsyncSession, tenant: TenantId, typed: TypedQuestion, *, place: ChannelId, ts: MessageTs
) -> bool:
    """Open the question's turn on our message `ts`; False when it hangs on another one already, or is gone."""
    await channels.meet(session, place, ChannelKind.DIRECT)
    await channels.pair(session, place, typed.user)
    free = (_ROW.command_id == typed.id, _ROW.turn_id.is_(None))
    held = select(_ROW.command_id).where(*free).with_for_update()
    if (await session.execute(held)).first() is None:
        return False
    await turns.open_turn(
        session,
        tenant=tenant,
        surface=Surface.SLACK,
        channel=place,
        message_ts=ts,
        thread_ts=ts,
        asker=typed.user,
        question=typed.question,
    )
    settled = {"turn_id": turn_id(tenant, place, ts), "place": place, "ts": ts, "question": ""}
    await session.execute(update(_ROW).where(*free).values(settled))
    return True


async def hung_on(session: AsyncSession, command: str) -> MessageTs | None:
    """The message that the question's turn hangs on, if it has one."""
    found = await session.scalar(select(_ROW.ts).where(_ROW.command_id == command))
    return None if found is None else MessageTs(found)


async def root_of(session: AsyncSession, turn: TurnId) -> MessageTs | None:
    """Our message that a turn hangs on, where it does not hang on its asker's."""
    found = await session.scalar(select(_ROW.ts).where(_ROW.turn_id == turn))
    return None if found is None else MessageTs(found)


async def drop(session: AsyncSession, turn: TurnId) -> None:
    """Keep nothing of the command that a turn was asked by; its message is deleted."""
    await session.execute(delete(_ROW).where(_ROW.turn_id == turn))


async def now(session: AsyncSession) -> MessageTs:
    """The database's time as a message would have it."""
    moment = await session.scalar(select(func.to_char(func.extract("epoch", func.now()), "FM9999999999.000000")))
    return MessageTs(str(moment))
