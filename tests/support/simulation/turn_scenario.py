"""Questions in Slack and their answers: gateways, workers with delivery, greeter and janitor, and an awkward Slack."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, cast
from uuid import uuid5

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.conversations import archive, turns
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.approval import Proposal, ProposedCall
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT, ApprovalId, ChannelId, LeaseToken, MessageTs, UserId, turn_id
from athenaeum.domain.turn import Answer, Progress, Question, StepStarted, TextGrew
from athenaeum.errors import APOLOGY, RetryLater
from athenaeum.slack.client import SlackClient
from athenaeum.slack.formatting import render
from athenaeum.slack.limits import Limits
from athenaeum.worker.delivery import Delivery
from athenaeum.worker.dispatch import Dispatch
from athenaeum.worker.greeter import Greeter
from athenaeum.worker.handlers.turn import TurnHandler
from athenaeum.worker.janitor import Janitor
from athenaeum.worker.pool import WorkerPool
from support.simulation.event_rows import QUEUED
from support.simulation.handling import Handling
from support.simulation.network import Weather
from support.simulation.processes import Process
from support.simulation.slack import Message, Web, Workspace
from support.simulation.world import World

_LEASE = timedelta(seconds=4)
_RETRIES = 3
_CHANNEL = ChannelId("C1")
_ASKER = UserId("U1")
_PACES = (0.0, 0.4, 5.0)
_FAULTS = (psycopg.OperationalError, SQLAlchemyError, OSError)
_ROUND = 60
_ANSWER = "The answer to"


@dataclass(slots=True)
class Asked:
    """A person's message, which Slack announces until it is acknowledged."""

    ts: MessageTs
    thread_ts: MessageTs
    acknowledged: bool = False

    @property
    def turn(self) -> str:
        return str(turn_id(DEFAULT_TENANT, _CHANNEL, self.ts))


class TurnScenario:
    """One or two questions, of one thread or of two, with two workers."""

    name: ClassVar[str] = "turn"
    # A call to Slack is over before a lease is: its client waits for 10 s, a lease is 60 s long by default.
    weather: ClassVar[Weather] = Weather(delays=(0.01, 0.4, 1.5, 2.9))
    patience: ClassVar[float] = 1800.0

    def __init__(self, world: World) -> None:
        self._world = world
        self._slack = Workspace(world.loop, ids_count=world.choices.pick(2) == 0)
        self._slack.watch = self._seen
        self._asks = world.choices.pick(5) == 1
        self._wrong: list[str] = []
        first = MessageTs("1700000000.000100")
        second = MessageTs("1700000000.000200")
        self.questions = [Asked(first, first)]
        if world.choices.pick(2):
            self.questions.append(Asked(second, first if world.choices.pick(3) else second))
        world.store.tables["tenants"].rows[DEFAULT_TENANT,] = {"tenant_id": DEFAULT_TENANT, "status": "active"}

    def begin(self) -> None:
        world = self._world
        for name in ("worker A", "worker B"):
            world.start(name, self._work)
        world.start("gateway", self._announce)
        if self._asks:
            world.start("approver", self._approve)
        if world.choices.pick(5) == 1:
            world.start("asker", self._regret)
        if world.choices.pick(5) == 1:
            world.loop.later((0.0, 0.5, 3.0)[world.choices.pick(3)], self._replace)

    # Workers

    async def _work(self, process: Process) -> None:
        world = self._world
        database = world.database(process)
        client = SlackClient("simulated")
        client._web = cast("Any", Web(self._slack, world.network, process))
        client.limits = Limits(world.loop.time)
        delivery = Delivery(database, {DEFAULT_TENANT: client})
        handler = TurnHandler(database, _Agent(world, database, asks=self._asks), delivery)
        dispatch = Dispatch({turns.TURN: handler}, _RETRIES)

        async def handle(event: Event) -> None:
            with Handling(world, process):
                await dispatch(event)

        pool = WorkerPool(
            2, database, handle, visibility_timeout=_LEASE, max_retries=_RETRIES, drain_time=timedelta(seconds=1)
        )
        process.stop = pool.stop
        async with pool, asyncio.TaskGroup() as group:
            group.create_task(Greeter(database, delivery, unseen=timedelta(seconds=2)).run())
            # its first round, at the start, would find nothing in a run so short
            await asyncio.sleep(_ROUND)
            group.create_task(Janitor(database, handler, patience=timedelta(seconds=90)).run())

    def _replace(self) -> None:
        """SIGTERM to a worker; the next one begins before it has ended."""
        world = self._world
        worker = next((each for each in world.processes if each.alive and each.stop is not None), None)
        if worker is not None and worker.stop is not None:
            world.loop.start(worker.lane, worker.stop(), "stop")
            world.start(f"{worker.name}+", self._work)

    # People

    async def _announce(self, process: Process) -> None:
        database = self._world.database(process)
        async with asyncio.TaskGroup() as group:
            for asked in self.questions:
                for _ in range(1 + self._world.choices.pick(2)):
                    group.create_task(self._deliver(database, asked))
                while not asked.acknowledged and asked is not self.questions[-1]:  # noqa: ASYNC110 - a person looks
                    await asyncio.sleep(0.1)

    async def _deliver(self, database: Any, asked: Asked) -> None:
        """One delivery of one event by Slack, repeated until it is acknowledged."""
        while True:
            try:
                async with database.session(DEFAULT_TENANT) as session:
                    await turns.open_turn(
                        session,
                        tenant=DEFAULT_TENANT,
                        surface=Surface.SLACK,
                        channel=_CHANNEL,
                        message_ts=asked.ts,
                        thread_ts=asked.thread_ts,
                        asker=_ASKER,
                        question=f"question {asked.ts[-3]}",
                    )
            except _FAULTS:
                await asyncio.sleep(1)
            else:
                asked.acknowledged = True
                return

    async def _regret(self, process: Process) -> None:
        """Delete a question."""
        asked = self.questions[self._world.choices.pick(len(self.questions))]
        await asyncio.sleep((0.0, 0.4, 2.0)[self._world.choices.pick(3)])
        database = self._world.database(process)
        while True:
            try:
                async with database.session(DEFAULT_TENANT) as session:
                    await archive.erase(session, _CHANNEL, asked.ts)
                    await turns.recall(session, _CHANNEL, asked.ts)
            except _FAULTS:
                await asyncio.sleep(1)
            else:
                return

    async def _approve(self, process: Process) -> None:
        """Click on whatever waits for it, once or twice, until the turns are over."""
        database = self._world.database(process)
        while True:
            await asyncio.sleep(0.5)
            for row in self._world.rows("approvals"):
                if row["decision"] is None:
                    for _ in range(1 + self._world.choices.pick(2)):
                        with suppress(*_FAULTS):
                            async with database.session(DEFAULT_TENANT) as session:
                                approval = ApprovalId(row["approval_id"])
                                await turns.decide(session, approval, user=_ASKER, channel=_CHANNEL, approved=True)

    # Judging

    def _turn(self, asked: Asked) -> dict[str, Any] | None:
        return next((row for row in self._world.rows("turns") if str(row["turn_id"]) == asked.turn), None)

    def _is_deleted(self, asked: Asked) -> bool:
        return any(row["ts"] == asked.ts and row["deleted_at"] for row in self._world.rows("slack_messages"))

    def _saved(self, asked: Asked) -> list[str]:
        row = self._turn(asked)
        if row is None or row["answer"] is None:
            return []
        return [part.text for part in render(turns.from_json(row["answer"]))]

    def _seen(self, message: Message) -> None:
        """Somebody sees a message: an answer is the one that is saved, and there is one message of each part."""
        asked = next(asked for asked in self.questions if asked.turn == message.turn)
        final = message.text.startswith((_ANSWER, APOLOGY))
        if final and message.text not in self._saved(asked):
            self._wrong.append(f"shown was {message.text!r}, which is not the saved answer")
        twins = [other for other in self._slack.standing(message.turn) if other.part == message.part]
        if self._slack.ids_count and len(twins) > 1:
            self._wrong.append(f"part {message.part} was posted twice, though Slack knows its id")

    def settled(self) -> bool:
        return (
            all(asked.acknowledged for asked in self.questions)
            and not self._world.rows(QUEUED)
            and all(row["finished_at"] is not None for row in self._world.rows("turns"))
            and self._world.busy == 0
            and self._world.is_quiet()
        )

    def judge(self) -> Iterator[str]:
        """What is wrong at the end."""
        yield from dict.fromkeys(self._wrong)
        for asked in self.questions:
            row = self._turn(asked)
            texts = [message.text for message in self._slack.standing(asked.turn)]
            if row is None:
                yield f"{asked.turn} was lost"
            elif row["state"] == "cancelled":
                if texts or not self._is_deleted(asked):
                    yield f"the question was taken back: {self._is_deleted(asked)}, and {texts} are left"
            elif sorted(texts) != sorted(self._saved(asked)):
                yield f"shown are {texts}, saved was {self._saved(asked)}"
            elif row["state"] not in {"delivered", "failed"}:
                yield f"the turn ended as {row['state']}"


class _Agent:
    """Answers in its own words each time, so that two answers can be told apart."""

    def __init__(self, world: World, database: DatabaseConnection, *, asks: bool) -> None:
        """With `asks` it proposes a change, and answers once that is decided."""
        self._world = world
        self._database = database
        self._asks = asks

    async def answer(
        self, question: Question, *, fence: LeaseToken, progress: Callable[[Progress], Awaitable[None]]
    ) -> Answer | Proposal:
        choices = self._world.choices
        await progress(StepStarted("Searching…"))
        await asyncio.sleep(_PACES[choices.fate((0.3, 0.1))])
        if choices.fate((0.05,)):
            raise RetryLater("the model was busy", after=timedelta(seconds=1))
        await progress(TextGrew("It grows"))
        await asyncio.sleep(_PACES[choices.fate((0.2, 0.05))])
        if self._asks:
            async with self._database.session(question.tenant) as session:
                decided = await turns.decisions(session, question.turn)
            approval = ApprovalId(uuid5(question.turn, "approval"))
            if approval not in decided:
                return Proposal(approval, (ProposedCall("call", "post", "Post a message", {}),))
        return Answer(f"{_ANSWER} {question.text} by {fence}")

    async def review(self, question: Question, answer: Answer) -> Answer:
        del question
        return answer
