"""What a turn waits for a person's word on: a parked turn has no event, and so holds no worker and no thread.

A proposal is decided once: by a click of the turn's asker, by the janitor when its time is over, or by the turn
itself when it proposes something else. A click enqueues the turn again in the same transaction.
The row of the turn is locked before the row of the approval, everywhere.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.conversations.turns.ledger import Turn, read_row, save_answer, set_aside
from athenaeum.conversations.turns.queueing import enqueue_turn
from athenaeum.conversations.turns.stranded import inherit
from athenaeum.database import audit, models
from athenaeum.database.audit import Deed
from athenaeum.database.jsonb import storable
from athenaeum.domain.approval import Decision, Pending, Proposal, ProposedCall
from athenaeum.domain.identity import ApprovalId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, LeaseToken, MessageTs, TurnId, UserId
    from athenaeum.domain.turn import Answer

PATIENCE = timedelta(days=7)
"""How long a proposal waits for its asker."""

_ROW = models.Approval


class Ruling(StrEnum):
    """What became of a click."""

    TAKEN = "taken"
    NOT_YOURS = "not yours"
    DECIDED = "decided"
    EXPIRED = "expired"
    OVER = "over"
    """There is no such proposal, or its turn has ended or proposes something else."""


_RULINGS = {
    Decision.APPROVED: Ruling.DECIDED,
    Decision.DENIED: Ruling.DECIDED,
    Decision.EXPIRED: Ruling.EXPIRED,
    Decision.SUPERSEDED: Ruling.OVER,
}


async def park(
    session: AsyncSession, turn: Turn, token: LeaseToken, proposal: Proposal, *, lasting: timedelta = PATIENCE
) -> Pending | None:
    """Let the turn wait for its asker; None when they have decided already, and the turn is in the queue again.

    Raises:
        LeaseLost: The turn has a newer holder.
    """
    await set_aside(session, turn.id, token)
    other = (_ROW.turn_id == turn.id, _ROW.approval_id != proposal.id, _ROW.decision.is_(None))
    await session.execute(update(_ROW).where(*other).values(decision=Decision.SUPERSEDED, decided_at=func.now()))
    row = {"tenant_id": turn.tenant, "approval_id": proposal.id, "turn_id": turn.id}
    asked = insert(_ROW).values(
        **row, calls=[storable(asdict(call)) for call in proposal.calls], expires_at=func.now() + lasting
    )
    await session.execute(
        asked.on_conflict_do_update(
            index_elements=["tenant_id", "approval_id"],
            set_={"decision": null(), "decided_at": null(), "expires_at": asked.excluded.expires_at},
            where=_ROW.decision == Decision.SUPERSEDED,
        )
    )
    return await pending(session, turn.id)


async def pending(session: AsyncSession, turn: TurnId) -> Pending | None:
    """What the turn waits for."""
    row = await session.scalar(select(_ROW).where(_ROW.turn_id == turn, _ROW.decision.is_(None)))
    return None if row is None else Pending(_proposal(row), row.expires_at)


async def decisions(session: AsyncSession, turn: TurnId) -> Mapping[ApprovalId, Decision]:
    """What was decided in the turn so far."""
    decided = select(_ROW.approval_id, _ROW.decision).where(_ROW.turn_id == turn, _ROW.decision.is_not(None))
    return {ApprovalId(row.approval_id): Decision(row.decision) for row in await session.execute(decided)}


async def decide(
    session: AsyncSession, approval: ApprovalId, *, user: UserId, channel: ChannelId, approved: bool
) -> tuple[Ruling, Turn | None]:
    """Take a person's word, and enqueue the turn; the turn is None when there is no such proposal in the channel."""
    of_approval = select(_ROW.turn_id).where(_ROW.approval_id == approval).scalar_subquery()
    locked = select(models.Turn).where(models.Turn.turn_id == of_approval, models.Turn.channel_id == channel)
    row = await session.scalar(locked.with_for_update())
    if row is None:
        return Ruling.OVER, None
    turn = read_row(row)
    if user != turn.asker:
        return Ruling.NOT_YOURS, turn
    decision = Decision.APPROVED if approved else Decision.DENIED
    waits = (_ROW.approval_id == approval, _ROW.decision.is_(None), _ROW.expires_at > func.now())
    taken = update(_ROW).where(*waits).values(decision=decision, decided_by=user, decided_at=func.now())
    if turn.finished_at is None and await session.scalar(taken.returning(_ROW.approval_id)) is not None:
        await enqueue_turn(session, turn, cause=f"approval:{approval}")
        deed = Deed.APPROVED if approved else Deed.DENIED
        await _record(session, turn, approval, deed, actor=user)
        return Ruling.TAKEN, turn
    decided = await session.scalar(select(_ROW.decision).where(_ROW.approval_id == approval))
    if decided is not None:
        return _RULINGS[Decision(decided)], turn
    return Ruling.EXPIRED if turn.finished_at is None else Ruling.OVER, turn


async def recall(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> None:
    """Wake the parked turn of a question that was deleted, so that nobody is asked about it any more."""
    parked = select(models.Turn).where(
        models.Turn.channel_id == channel, models.Turn.message_ts == ts, models.Turn.state == "parked"
    )
    row = await session.scalar(parked.with_for_update())
    if row is not None and await pending(session, read_row(row).id) is not None:
        await enqueue_turn(session, read_row(row), cause=f"recall:{row.turn_id}")


async def changed(session: AsyncSession, turn: TurnId) -> bool:
    """Whether something that was approved in the turn has been begun."""
    begun = select(models.Step.turn_id).where(models.Step.turn_id == turn, models.Step.once).limit(1)
    return (await session.execute(begun)).first() is not None


async def overdue(session: AsyncSession, *, limit: int = 100) -> list[Turn]:
    """Open turns whose asker did not decide in time, the longest overdue first."""
    row = models.Turn
    late = select(row).join(_ROW, _ROW.turn_id == row.turn_id)
    late = late.where(row.finished_at.is_(None), _ROW.decision.is_(None), _ROW.expires_at < func.now())
    return [read_row(found) for found in await session.scalars(late.order_by(_ROW.expires_at).limit(limit))]


async def expire(session: AsyncSession, turn: Turn, token: LeaseToken, apology: Answer) -> bool:
    """Decide what is overdue, and save what its asker is to read, as the turn's new holder.

    False, and nothing is changed, when they have decided just now.

    Raises:
        LeaseLost: Somebody works on the turn.
    """
    await set_aside(session, turn.id, turn.fence)
    late = (_ROW.turn_id == turn.id, _ROW.decision.is_(None), _ROW.expires_at < func.now())
    values: dict[str, Any] = {"decision": Decision.EXPIRED, "decided_at": func.now()}
    expired = await session.scalar(update(_ROW).where(*late).values(values).returning(_ROW.approval_id))
    if expired is None:
        return False
    await inherit(session, turn, token)
    await save_answer(session, turn.id, token, apology, apology=True)
    await _record(session, turn, expired, Deed.EXPIRED, actor=audit.ITSELF)
    return True


async def _record(session: AsyncSession, turn: Turn, approval: UUID, deed: Deed, *, actor: str) -> None:
    # of the arguments nothing: the approval's id stands for exactly these
    calls = await session.scalar(select(_ROW.calls).where(_ROW.approval_id == approval)) or []
    tools = [call["tool"] for call in calls]
    await audit.record(
        session, deed, tenant=turn.tenant, actor=actor, subject=str(approval), turn=str(turn.id), tools=tools
    )


def _proposal(row: models.Approval) -> Proposal:
    return Proposal(ApprovalId(row.approval_id), tuple(ProposedCall(**call) for call in row.calls))
