"""A call for a human: posted once in the thread, and marked when somebody was helped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from athenaeum.conversations import escalations, turns
from athenaeum.conversations.archive import history, threads
from athenaeum.domain.turn import Answer
from athenaeum.errors import Discard
from athenaeum.slack.formatting import Call
from athenaeum.worker.handlers.turn import turn_id_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.escalations import Escalation
    from athenaeum.conversations.turns import Turn
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.turn import Question
    from athenaeum.worker.delivery import Delivery

log = structlog.get_logger(__name__)

_SINCE = 3
"""The last messages of people that a call repeats."""


class Reviewer(Protocol):
    """Who knows what an answer's readers may see of it now: `athenaeum.agent.runner.Runner`."""

    async def review(self, question: Question, answer: Answer) -> Answer:
        """The answer without what they may not read any more."""
        ...


class EscalationHandler:
    """Shows a call with a summary of what stands in the thread already, all of which its readers may read.

    No model writes it, so that it costs nothing and says nothing new.
    """

    def __init__(self, database: DatabaseConnection, reviewer: Reviewer, delivery: Delivery) -> None:
        """`delivery` is that of the turns."""
        self._database = database
        self._reviewer = reviewer
        self._delivery = delivery

    async def handle(self, event: Event) -> None:
        """Make sure that the call stands in the thread, as it is now."""
        async with self._database.session(event.tenant) as session:
            turn = await turns.look(session, turn_id_of(event))
            called = await escalations.escalation(session, turn.id)
            if called is None or await turns.withdrawn(session, turn):
                raise Discard("nobody is called any more")
            question = await turns.question(session, turn)
            since = await _said_since(session, turn)
        # an apology says nothing of the matter
        answer = Answer("") if turn.answer is None or turn.answered_at is None else turn.answer
        answer = await self._reviewer.review(question, answer)
        await self._delivery.call(turn, _call(called, turn.question, answer, since))
        log.info("escalation.shown", turn_id=str(turn.id), resolved=called.resolved_by is not None)

    async def give_up(self, event: Event, error: Exception) -> None:
        """Who asked sees that nobody was called; the operator finds it in `athenaeum escalations list`."""
        log.warning("escalation.unshown", event_id=event.id, error=type(error).__name__)


async def _said_since(session: AsyncSession, turn: Turn) -> list[tuple[str, str]]:
    lines = await history.thread(session, turn.channel, turn.thread_ts)
    forgotten = await threads.forgotten(session, turn.channel, turn.thread_ts) or ""
    said = [line for line in lines if not line.is_bot and line.ts > max(turn.message_ts, forgotten)]
    return [(line.author_name, line.text) for line in said[-_SINCE:]]


def _call(called: Escalation, question: str, answer: Answer, since: list[tuple[str, str]]) -> Call:
    return Call(
        turn=called.turn,
        helper=called.helper,
        asked_by=called.asked_by,
        resolved_by=called.resolved_by,
        question=question,
        answer=answer.text,
        since=since,
    )
