"""What an asker may read and the thread may not: looked for once the thread has its answer, and shown on a click.

Nothing of it is kept: it is searched anew for the offer and for the click, each time by what the asker may read then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from athenaeum.conversations import turns
from athenaeum.database import models
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import NewEvent
from athenaeum.events import enqueue
from athenaeum.retrieval.audience import is_narrowed

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.turns import Turn
    from athenaeum.domain.identity import ChannelId, TurnId, UserId
    from athenaeum.domain.turn import Answer

OFFER, REVEAL = "extras.offer", "extras.reveal"
"""The kinds of event that look for extras: to offer them, and to show them. The payload is `{"turn": id}`."""
_LATER = -10
"""The priority of an offer: whoever waits for an answer goes first."""


_ROW = models.Turn


async def consider(session: AsyncSession, turn: Turn, answer: Answer) -> None:
    """Have extras looked for once a model's answer stands in a place where its asker may not be told everything."""
    if turn.surface is not Surface.SLACK or not turn.is_watched or not answer.model:
        return
    question = await turns.question(session, turn)
    narrowed, parameters = is_narrowed(Audience(turn.tenant, turn.asker, question.place))
    if await session.scalar(text(narrowed), parameters):
        await enqueue(session, _event(OFFER, turn, cause=str(turn.id), priority=_LATER))


async def want(session: AsyncSession, turn: TurnId, *, user: UserId, channel: ChannelId, cause: str) -> bool:
    """Have the extras of a turn shown to its asker, once for each `cause`; False when it is not theirs."""
    mine = (_ROW.turn_id == turn, _ROW.channel_id == channel, _ROW.asker_id == user)
    row = await session.scalar(select(_ROW).where(*mine))
    if row is None:
        return False
    await enqueue(session, _event(REVEAL, turns.read_row(row), cause=f"{turn}:{cause}"))
    return True


async def asked(session: AsyncSession, turn: TurnId) -> Turn | None:
    """The turn whose extras may still be looked for: none of one that was stopped, or whose question was deleted."""
    found = await turns.look(session, turn)
    stands = found.answered_at is not None and found.stopped_by is None and not await turns.withdrawn(session, found)
    return found if stands else None


def _event(kind: str, turn: Turn, *, cause: str, priority: int = 0) -> NewEvent:
    return NewEvent(
        kind=kind,
        payload={"turn": str(turn.id)},
        tenant=turn.tenant,
        dedupe_key=f"{kind}:{cause}",
        fair_key=turn.asker,
        priority=priority,
    )
