"""A workspace in which somebody asks and workers answer: slacksim, a database and the product's delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text, update

from athenaeum.conversations import turns
from athenaeum.conversations.turns import Turn
from athenaeum.database import models
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.approval import Proposal
from athenaeum.domain.channel import Surface
from athenaeum.domain.event import Event
from athenaeum.domain.identity import (
    DEFAULT_TENANT,
    ChannelId,
    EventId,
    LeaseToken,
    MessageTs,
    TurnId,
    UserId,
)
from athenaeum.domain.turn import Answer, Progress, Question
from athenaeum.slack.client import SlackClient
from athenaeum.worker.delivery import Delivery, Timing
from athenaeum.worker.delivery.thread import Thread
from athenaeum.worker.handlers.turn import TurnHandler
from slacksim import scenario
from slacksim.faults import Fault, Mode
from slacksim.model import Message
from slacksim.people import Person
from slacksim.server import SlackSim

HASTY = Timing(
    lease=timedelta(seconds=1),
    poll=timedelta(milliseconds=10),
    read_back=(timedelta(0), timedelta(milliseconds=10)),
    patience=timedelta(seconds=8),
    backoff=timedelta(milliseconds=10),
    progress=timedelta(milliseconds=20),
)
ANSWER = Answer("Retry it with `athenaeum events retry`.")


@dataclass(slots=True)
class ScriptedAgent:
    """Answers with what it was given, after it told its progress; raises an answer that is an error."""

    outcome: Answer | Proposal | Exception = ANSWER
    progress: tuple[Progress, ...] = ()
    meanwhile: Callable[[], Awaitable[None]] | None = None
    questions: list[Question] = field(default_factory=list[Question])

    async def answer(
        self, question: Question, *, fence: LeaseToken, progress: Callable[[Progress], Awaitable[None]]
    ) -> Answer | Proposal:
        self.questions.append(question)
        for step in self.progress:
            await progress(step)
        if self.meanwhile is not None:
            await self.meanwhile()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def review(self, question: Question, answer: Answer) -> Answer:
        del question
        return answer


@dataclass(slots=True)
class Stage:
    """One question can be asked, and any number of workers may answer it."""

    database: DatabaseConnection
    sim: SlackSim
    slack: SlackClient
    timing: Timing = HASTY
    tokens: int = 0

    def client(self, *, timeout: timedelta = timedelta(seconds=10)) -> SlackClient:
        """Another client of the workspace's bot, as another process has it."""
        return SlackClient(self.sim.world.app.bot_token, base_url=self.sim.api_url, timeout=timeout)

    @property
    def delivery(self) -> Delivery:
        return Delivery(self.database, {DEFAULT_TENANT: self.slack}, timing=self.timing)

    def channel(self) -> str:
        found = self.sim.world.find_channel("platform")
        assert found is not None
        return found.id

    async def ask(
        self,
        text: str = "How do I retry a failed event?",
        *,
        surface: Surface = Surface.SLACK,
        after: TurnId | None = None,
    ) -> TurnId:
        """Ask in a new thread, or in that of another question."""
        thread_ts = (await self.look(after)).thread_ts if after else None
        asked = Person.named(self.sim.world, "maya").say("platform", text, thread_ts=thread_ts)
        ts = MessageTs(asked.ts)
        async with self.database.session(DEFAULT_TENANT) as session:
            turn = await turns.open_turn(
                session,
                tenant=DEFAULT_TENANT,
                surface=surface,
                channel=ChannelId(asked.channel),
                message_ts=ts,
                thread_ts=thread_ts or ts,
                asker=UserId(asked.user),
                question=text,
            )
        assert turn is not None
        return turn

    def event(self, turn: TurnId, *, attempt: int = 1) -> Event:
        """The claim of the turn's event by another worker: each has a greater token."""
        self.tokens += 1
        return Event(
            id=EventId(1),
            tenant=DEFAULT_TENANT,
            kind=turns.TURN,
            payload={"turn": str(turn)},
            token=LeaseToken(self.tokens),
            attempt=attempt,
            created_at=datetime.now(UTC),
        )

    async def take(self, turn: TurnId) -> tuple[Turn, LeaseToken]:
        token = self.event(turn).token
        async with self.database.session(DEFAULT_TENANT) as session:
            return await turns.take(session, turn, token), token

    async def look(self, turn: TurnId) -> Turn:
        async with self.database.session(DEFAULT_TENANT) as session:
            return await turns.look(session, turn)

    def thread(self, turn: Turn, token: LeaseToken, *, slack: SlackClient | None = None) -> Thread:
        return Thread(self.database, slack or self.slack, turn, token, self.timing)

    def handler(self, agent: ScriptedAgent) -> TurnHandler:
        return TurnHandler(self.database, agent, self.delivery)

    async def work(self, turn: TurnId, agent: ScriptedAgent | None = None, *, attempt: int = 1) -> None:
        await self.handler(agent or ScriptedAgent()).handle(self.event(turn, attempt=attempt))

    def fault(self, method: str, mode: Mode, **values: Any) -> None:
        self.sim.simulation.faults.plan(Fault(method, mode, **values))

    def ignore_client_msg_ids(self) -> None:
        self.sim.simulation.faults.client_msg_ids_count = False

    def shown(self, turn: Turn) -> list[Message]:
        """What the bot has left standing in the turn's thread."""
        channel = self.sim.world.channels[turn.channel]
        replies = [channel.messages[ts] for ts in channel.threads.get(turn.thread_ts, [])]
        return [message for message in replies if message.bot_id == self.sim.world.app.bot_id]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what another task does."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - another process of the simulator, not ours, makes it true
                await asyncio.sleep(0.005)

    async def texts(self, turn: TurnId) -> list[str]:
        return [said(message) for message in self.shown(await self.look(turn))]

    def calls(self, method: str) -> list[dict[str, Any]]:
        return self.sim.simulation.calls.of(method)


def said(message: Message) -> str:
    """What a reader sees of a message: its blocks' text, or the text where there are none."""
    return "\n".join(str(block["text"]) for block in message.blocks if block["type"] == "markdown") or message.text


@asynccontextmanager
async def stage(database_url: str) -> AsyncGenerator[Stage]:
    """A stage on the built-in scenario."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(DatabaseConnection(database_url))
        async with database.session() as session:  # the lowest tokens are for the claims that a stage makes up
            await session.execute(text("SELECT max(nextval('lease_tokens')) FROM generate_series(1, 1000)"))
        sim = await stack.enter_async_context(SlackSim(scenario.load()))
        slack = await stack.enter_async_context(SlackClient(sim.world.app.bot_token, base_url=sim.api_url))
        yield Stage(database, sim, slack)


async def streaming(stage: Stage, *, native: bool = True) -> None:
    """From now on the workspace shows answers by Slack's own means for agents, or no longer."""
    team = stage.sim.world.team.id
    async with stage.database.session() as session:
        of_stage = update(models.Tenant).where(models.Tenant.tenant_id == DEFAULT_TENANT)
        await session.execute(of_stage.values(native=native, slack_team_id=team))
