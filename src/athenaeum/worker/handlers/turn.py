"""The event that matters: a question gets its answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import structlog

from athenaeum.conversations import extras, turns
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import TurnId
from athenaeum.domain.turn import Answer
from athenaeum.errors import APOLOGY, AthenaeumError, Discard, LeaseLost, Misconfigured, Refused, RetryLater
from athenaeum.observability.metrics import TURN_SECONDS, TURNS
from athenaeum.slack.errors import TokenRefused, Unreachable
from athenaeum.tenants import register
from athenaeum.worker.watch import watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.turns import Turn
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.approval import Pending, Proposal
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import LeaseToken
    from athenaeum.domain.turn import Progress, Question
    from athenaeum.worker.delivery import Delivery

log = structlog.get_logger(__name__)

_CHANGED = " Something that you approved may have been done already: please look before you ask again."
_EXPIRED = "I had asked you to approve this and heard nothing in time, so I did not do it. Ask me again if you want it."


class Agent(Protocol):
    """Who answers: `athenaeum.agent.runner.Runner`."""

    async def answer(
        self, question: Question, *, fence: LeaseToken, progress: Callable[[Progress], Awaitable[None]]
    ) -> Answer | Proposal:
        """Answer the question, or say what its asker has to decide first, telling about the way there."""
        ...

    async def review(self, question: Question, answer: Answer) -> Answer:
        """The answer without what its readers may not read any more."""
        ...


class TurnHandler:
    """Takes the turn, has it answered, saves the answer, and shows it: each step once, whoever resumes it."""

    def __init__(self, database: DatabaseConnection, agent: Agent, delivery: Delivery) -> None:
        """`database` gives sessions of the turn's tenant."""
        self._database = database
        self._agent = agent
        self._delivery = delivery

    async def handle(self, event: Event) -> None:
        """Bring the turn to its end, or raise what the queue is to judge."""
        async with self._database.session(event.tenant) as session:
            turn = await turns.take(session, turn_id_of(event), event.token, attempt=event.attempt)
            reason = await _withdrawal(session, turn)
        if turn.finished_at is not None:
            return
        if reason is not None:
            await self._withdraw(turn, event.token, reason)
            return
        try:
            await self._go_on(turn, event.token)
        except LeaseLost:
            async with self._database.session(turn.tenant) as session:
                standing = await turns.look(session, turn.id)
            if standing.stopped_by is None:
                raise
            # The event of the stop shows it, so that the next question of the thread need not wait for this one.

    async def _go_on(self, turn: Turn, token: LeaseToken) -> None:
        try:
            outcome = turn.answer or await self._answer(turn, token)
            await self._show(turn, token, outcome)
        except Discard as reason:
            await self._withdraw(turn, token, reason)
            return
        if not isinstance(outcome, Answer):
            return  # its asker decides, and a click enqueues it again
        async with self._database.session(turn.tenant) as session:
            state = await turns.finish(session, turn.id, token)
            if state == "delivered":
                await extras.consider(session, turn, outcome)
        _count(turn, state)

    async def give_up(self, event: Event, error: Exception) -> None:
        """Answer with one honest sentence, unless an answer was saved before: then that one is shown."""
        async with self._database.session(event.tenant) as session:
            turn = await turns.take(session, turn_id_of(event), event.token, attempt=event.attempt, reopen=False)
        if turn.finished_at is None:
            await self.close(turn, event.token, error)

    async def close(self, turn: Turn, token: LeaseToken, error: Exception) -> bool:
        """End a turn that nobody works on any more; False when its asker could not be told yet.

        What is owed stays open for the janitor, which calls this again.
        """
        async with self._database.session(turn.tenant) as session:
            reason = await _withdrawal(session, turn)
        if reason is not None:
            await self._withdraw(turn, token, reason)
            return True
        answered = turn.answered_at is not None and turn.error is None
        sentence = error.user_text if isinstance(error, AthenaeumError) else APOLOGY
        async with self._database.session(turn.tenant) as session:
            if await turns.changed(session, turn.id):
                sentence += _CHANGED
            answer = await turns.save_answer(session, turn.id, token, Answer(sentence), apology=True)
        told = await self._tell(turn, token, answer, error)
        async with self._database.session(turn.tenant) as session:
            if told and answered and not isinstance(error, Unreachable):
                await turns.finish(session, turn.id, token)
            else:
                reason = turn.error or f"{type(error).__name__}: {error}"
                await turns.fail(session, turn.id, token, error=reason, owing=not told)
        if told:
            _count(turn, "failed")
        return told

    async def _tell(self, turn: Turn, token: LeaseToken, answer: Answer, error: Exception) -> bool:
        """Whether the asker was told, or never can be; `error` may say so beforehand."""
        if turn.whispered:
            return True  # nobody asked, and so nobody is owed an apology
        if isinstance(error, Unreachable | TokenRefused):
            return isinstance(error, Unreachable)
        try:
            await self._deliver(turn, token, answer)
        except (RetryLater, Misconfigured) as undelivered:
            log.warning("turn.owed", turn_id=str(turn.id), error=str(undelivered))
            return False
        except Refused as refused:
            log.warning("turn.untold", turn_id=str(turn.id), error=str(refused))
        return True

    async def expire(self, turn: Turn, token: LeaseToken) -> bool:
        """End a turn whose asker did not decide in time; False when they could not be told yet."""
        async with self._database.session(turn.tenant) as session:
            if not await turns.expire(session, turn, token, Answer(_EXPIRED)):
                return True
        log.info("approval.expired", turn_id=str(turn.id))
        return await self.close(turn, token, Refused("the approval expired", user_text=_EXPIRED))

    async def _answer(self, turn: Turn, token: LeaseToken) -> Answer | Pending | None:
        """The saved answer, or what its asker was asked; None when they have decided that already."""
        async with self._database.session(turn.tenant) as session:
            question = await turns.question(session, turn)
        feed = self._delivery.progress(turn, token)
        try:
            async with asyncio.TaskGroup() as tasks:
                if feed is not None:
                    tasks.create_task(feed.run())
                watched = tasks.create_task(watch(self._database, turn, token))
                found = await self._agent.answer(question, fence=token, progress=feed.show if feed else _unseen)
                watched.cancel()
                async with self._database.session(turn.tenant) as session:
                    if isinstance(found, Answer):
                        outcome = await turns.save_answer(session, turn.id, token, found)
                    else:
                        outcome = await turns.park(session, turn, token, found)
                if feed is not None:
                    feed.close()
        except ExceptionGroup as group:
            raise _weightiest(group) from group
        if feed is not None and feed.doubtful:
            # An update without an answer may still be carried out: the final text goes out once more after it.
            await self._show(turn, token, outcome)
        return outcome

    async def _show(self, turn: Turn, token: LeaseToken, outcome: Answer | Pending | None) -> None:
        if isinstance(outcome, Answer):
            await self._deliver(turn, token, outcome)
        elif outcome is not None:
            await self._delivery.ask(turn, token, outcome)

    async def _deliver(self, turn: Turn, token: LeaseToken, answer: Answer) -> None:
        """Show what was saved, as far as it may be read now: that may be long after it was found."""
        if answer.citations:
            async with self._database.session(turn.tenant) as session:
                question = await turns.question(session, turn)
            answer = await self._agent.review(question, answer)
        await self._delivery.deliver(turn, token, answer)

    async def _withdraw(self, turn: Turn, token: LeaseToken, reason: Discard) -> None:
        try:
            await self._delivery.retract(turn, token)
        except (Refused, Misconfigured, Discard) as refused:
            log.warning("turn.not_retracted", turn_id=str(turn.id), error=str(refused))
        async with self._database.session(turn.tenant) as session:
            if (await turns.look(session, turn.id)).finished_at is None:  # a workspace that left has ended it
                await turns.cancel(session, turn.id, token, reason=str(reason))
        _count(turn, "cancelled")


async def _withdrawal(session: AsyncSession, turn: Turn) -> Discard | None:
    """Why nobody waits for the answer any more, if so."""
    if await turns.withdrawn(session, turn):
        return Discard("the question was deleted")
    if turn.surface is Surface.SLACK and not await register.served(session):
        return Discard("the workspace is disabled")
    return None


def turn_id_of(event: Event) -> TurnId:
    """The turn that the event is about."""
    try:
        return TurnId(UUID(str(event.payload["turn"])))
    except (KeyError, ValueError) as error:
        raise Refused('the payload of a turn is {"turn": its id}') from error


def _weightiest(group: ExceptionGroup[Exception]) -> Exception:
    """The error that decides: a lost lease before all others, then the first that was raised."""
    lost = next((error for error in group.exceptions if isinstance(error, LeaseLost)), None)
    return lost or group.exceptions[0]


async def _unseen(_progress: Progress) -> None:
    """Where nobody watches, progress is for nobody."""


def _count(turn: Turn, outcome: str) -> None:
    TURNS.labels(outcome).inc()
    TURN_SECONDS.observe((datetime.now(UTC) - turn.created_at).total_seconds())
