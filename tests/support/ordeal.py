"""One question, and processes that are stopped while they answer it, in a world of the test's own."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import update

from athenaeum.config import Config
from athenaeum.database import models
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener, Receipt
from athenaeum.retrieval.index import Index
from athenaeum.slack.client import SlackClient
from athenaeum.tenants import register
from athenaeum.wiring.background import beside
from athenaeum.wiring.broker import open_relay
from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.faults import Fault
from slacksim.model import Message
from slacksim.people import Person
from slacksim.server import SlackSim
from support import verdict
from support.anthropic_server import KEY, AnthropicServer
from support.database import PostgresServer
from support.desk import DOCUMENTS
from support.life import Fate, Life, Surroundings, live
from support.record import Record
from support.trials import Trial
from support.zygote import Role, Zygote

QUESTION = "How do I retry a failed event?"
_LEFT_ALONE = Fate()
_OPEN = [replace(document, is_open=True) for document in DOCUMENTS]  # a guest reads along


@dataclass(slots=True)
class Ordeal:
    """The world in which one question is asked once, and the processes that live in it."""

    trial: Trial
    sim: SlackSim
    model: AnthropicServer
    record: Record
    url: str
    home: Path
    zygote: Zygote
    broker: str | None = None
    """Celery's, where that brings events to the workers."""
    lives: list[Life] = field(default_factory=list[Life])

    async def furnish(self) -> None:
        """Connect the workspace, with its people known to the archive, and a document to be found."""
        world = self.sim.world
        async with DatabaseConnection(self.url) as database:
            async with SlackClient(world.app.bot_token, base_url=self.sim.api_url) as slack:
                await register.bind(database, await slack.auth_test())
            async with database.session() as session:
                await session.execute(update(models.Tenant).values(native=self.trial.is_streamed))
            async with database.session(DEFAULT_TENANT) as session:
                await Index(database, None).put(session, DEFAULT_TENANT, "docs", _OPEN)
        channel = world.find_channel("platform")
        assert channel is not None
        here = {"tenant_id": DEFAULT_TENANT, "channel_id": channel.id}
        people = [{"tenant_id": DEFAULT_TENANT, "user_id": user.id, "name": user.name} for user in world.users.values()]
        await self.record.insert("slack_users", people)
        await self.record.insert(
            "slack_channels", [{**here, "name": "platform", "kind": "public", "members_read_at": "now"}]
        )
        await self.record.insert("slack_members", [{**here, "user_id": user} for user in channel.members])

    def ask(self) -> Message:
        """Somebody asks, which Slack announces as a message and as a mention."""
        return Person.named(self.sim.world, "maya").say("platform", f"<@{self.sim.world.app.user_id}> {QUESTION}")

    async def take_in(self) -> None:
        """Do a gateway's part for everything that Slack has announced."""
        async with DatabaseConnection(self.url) as database:
            listener = Listener(database, Intake(database))
            for delivery in self.sim.simulation.outbox.deliveries:
                while await listener.receive(delivery.payload, transport="socket") is Receipt.AWAY:
                    pass  # a machine under load: Slack would send it again

    @asynccontextmanager
    async def alive(self, fate: Fate = _LEFT_ALONE, *, role: Role = "worker") -> AsyncGenerator[Life]:
        """A process that meets its fate, and is killed at the end of the block at the latest."""
        await self._settled()
        app = self.sim.world.app
        environment = {
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            "ANTHROPIC_API_KEY": KEY,
            "ATHENAEUM_HOME": str(self.home),
            "ATHENAEUM_PORT": "0",
            "ATHENAEUM_EMBEDDER": "none",
            # Leases that only the test lets run out: on a busy machine short ones do so by themselves.
            "EVENT_VISIBILITY_TIMEOUT": "600",
            **self.trial.environment,
        }
        log = self.home / f"{role}-{len(self.lives)}.log"
        around = Surroundings(self.url, self.sim.url, self.model.url, environment, self.zygote, log)
        async with self._relaying(environment), live(role, around, fate, known=await self.record.steps()) as life:
            self.lives.append(life)
            yield life

    @asynccontextmanager
    async def _relaying(self, environment: dict[str, str]) -> AsyncGenerator[None]:
        """Have Celery bring events to what lives in the block, where there is a broker."""
        if self.broker is None:
            yield
            return
        environment |= {"ATHENAEUM_ENGINE": "celery", "CELERY_BROKER_URL": self.broker}
        config = Config(slack_bot_token=environment["SLACK_BOT_TOKEN"], celery_broker_url=self.broker)
        async with (
            DatabaseConnection(self.url) as database,
            open_relay(config, database, [DEFAULT_TENANT]) as relay,
            beside(relay.run()),
        ):
            yield

    async def over(self, life: Life) -> None:
        """Wait until nothing is left to do; the process may not end before."""
        assert await _first(self.record.turn_over, life.process.ended) == 0, self.account("the process ended too early")

    async def stopped_or_over(self, life: Life) -> bool:
        """Wait until the process has met its fate, or nothing is left to do; whether it was the fate."""
        return await _first(self.record.turn_over, life.boundaries.reached.wait, life.process.ended) > 0

    async def parked(self, life: Life) -> None:
        """Wait until the turn waits for its asker; the process may not end before."""
        assert await _first(self.record.parked, life.process.ended) == 0, self.account("the process ended too early")

    async def stopped_or_parked(self, life: Life) -> bool:
        """Wait until the process has met its fate, or the turn waits for its asker; whether it was the fate."""
        return await _first(self.record.parked, life.boundaries.reached.wait, life.process.ended) > 0

    async def faults(self, asked: Message) -> str:
        """What is wrong with the end of the ordeal; nothing, it is hoped."""
        await self._settled()
        turns = await self.record.rows("SELECT * FROM turns")
        events = await self.record.rows("SELECT * FROM events WHERE event_type = 'turn'")
        offers = await self.record.rows("SELECT * FROM events WHERE event_type = 'extras.offer'")
        deliveries = await self.record.rows("SELECT * FROM deliveries")
        world = self.sim.world
        faults = [
            *verdict.in_workspace(self.trial, world, asked),
            *verdict.in_posting(
                self.trial,
                [*self.sim.simulation.calls.of("chat.startStream"), *self.sim.simulation.calls.of("chat.postMessage")],
                frozen=sum(life.fate.signal is signal.SIGSTOP for life in self.lives),
            ),
            *verdict.on_record(self.trial, world, turns=turns, events=events, deliveries=deliveries),
            *verdict.in_cost(self.trial, self.lives, await self.record.steps(), offers=len(offers)),
            *verdict.in_money(
                self.lives,
                await self.record.rows("SELECT model, dollars, settled_at FROM spending"),
                billed=self.model.billed,
                steps=await self.record.steps(),
            ),
        ]
        return "; ".join(faults)

    def account(self, complaint: str) -> str:
        """A complaint with what is shown, and what the processes passed and said."""
        texts = [verdict.said(message) for message in verdict.shown(self.sim.world)]
        return "\n".join([complaint, f"shown: {texts}", *(life.account() for life in self.lives)])

    async def _settled(self) -> None:
        """Wait until the server is through with what dead processes had begun; living ones go on."""
        if not any(life.process.running for life in self.lives):
            await self.record.alone()


BeginOrdeal = Callable[[Trial], AbstractAsyncContextManager[Ordeal]]


@asynccontextmanager
async def ordeal(
    trial: Trial,
    *,
    postgres: PostgresServer,
    template: str,
    zygote: Zygote,
    home: Path,
    broker: str | None = None,
) -> AsyncGenerator[Ordeal]:
    """A world of its own for one question; `home` is an empty folder."""
    name = f"ordeal_{home.name}_{id(home):x}"
    async with AsyncExitStack() as stack:
        # In threads: the server waits until its other connections have listened, and those of the proxies wait for us.
        url = await asyncio.to_thread(postgres.create, name, template=template)
        stack.push_async_callback(asyncio.to_thread, postgres.drop, name)
        record = await stack.enter_async_context(
            Record(urlsplit(postgres.admin_url)._replace(path=f"/{name}").geturl())
        )
        timing = Timing(ack_seconds=1.0, retry_delays=(0.2,) * 200)
        sim = await stack.enter_async_context(SlackSim(scenario.load(), timing=timing))
        model = await stack.enter_async_context(AnthropicServer())
        model.reply = trial.reply
        begun = Ordeal(trial, sim, model, record, url, home, zygote, broker)
        await begun.furnish()
        sim.simulation.faults.client_msg_ids_count = trial.client_msg_ids_count
        lost = {"chat.postMessage": trial.lost_posts, "chat.startStream": trial.lost_starts}
        for method, times in lost.items():
            if times:
                sim.simulation.faults.plan(Fault(method, "drop_after", times=times))
        yield begun


async def _first(*waits: Callable[[], Awaitable[object]]) -> int:
    """Which of these waits ends first; the others are given up."""
    tasks = [asyncio.ensure_future(wait()) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        place = next(place for place, task in enumerate(tasks) if task.done())
        tasks[place].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return place
