"""The whole product in one process, connected to a simulated workspace in which people ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import text

from athenaeum.config import Config
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.link import FAULTS, Link
from athenaeum.database.models import Turn
from athenaeum.domain.passage import Origin
from athenaeum.domain.tenant import Tenant
from athenaeum.retrieval.passages import NewPassage
from athenaeum.wiring.process import Role, Running, open_process
from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.faults import Fault, Mode
from slacksim.model import Message
from slacksim.people import Person
from slacksim.server import SlackSim
from support.stage import said

Via = Literal["socket", "http"]

ENGINE: Mapping[str, Any] = {}
"""Settings of every product; see `support.engines`."""
RUNBOOK = NewPassage(
    Origin.DOCUMENT,
    "Operations",
    "An event that failed for good is kept with its error.\n\nPut a failed event back into the queue to retry it:\n\n"
    "    athenaeum events retry ID\n\nA retried event keeps its id.",
    "Failed events",
    "https://docs.example/operations#failed-events",
)
QUESTION = "How do I retry a failed event?"

PLATFORM: dict[str, Any] = {
    "team": {"name": "Lantern", "domain": "lantern"},
    "users": [{"name": "maya", "real_name": "Maya Chen"}, {"name": "tom"}, {"name": "ines"}],
    "channels": [
        {
            "name": "platform",
            "members": ["maya", "tom", "ines", "athenaeum"],
            "messages": [
                {"user": "tom", "text": "The billing service is deployed at 14:00 UTC.", "ago": 7200},
                {
                    "user": "maya",
                    "text": "I have a question about incidents.",
                    "ago": 7100,
                    "replies": [{"user": "tom", "text": "The lead on call approves a rollback at night.", "ago": 7000}],
                },
            ],
        },
        {"kind": "im", "members": ["maya", "athenaeum"]},
    ],
}
"""Where most questions are asked, and no other channels: each of them is read at every start."""
COMPANY: dict[str, Any] = {
    **PLATFORM,
    "channels": [
        *PLATFORM["channels"],
        {
            "name": "finance",
            "kind": "private",
            "members": ["ines", "tom", "athenaeum"],
            "messages": [{"user": "ines", "text": "The acquisition budget is codename heliotrope.", "ago": 3600}],
        },
        {"name": "board", "kind": "private", "members": ["ines", "maya", "athenaeum"]},
        {"kind": "im", "members": ["ines", "athenaeum"]},
    ],
}


def workspace(company: dict[str, Any] = COMPANY) -> SlackSim:
    """A simulated Slack that repeats soon what was not acknowledged."""
    return SlackSim(scenario.build(company), timing=Timing(ack_seconds=3, retry_delays=(0.1,) * 20))


@dataclass(slots=True)
class Product:
    """The product at work: people of `sim` speak, and what the bot said can be read."""

    sim: SlackSim
    running: Running
    tenant: Tenant
    seen: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Everything that each message of the bot has shown, by its ts."""
    link: Link = field(init=False)
    """For what is asked again and again while a question is answered: a session costs ten times as much."""

    def __post_init__(self) -> None:
        self.link = Link(self.running.database)

    @property
    def bot(self) -> str:
        return f"<@{self.sim.world.app.user_id}>"

    def person(self, name: str) -> Person:
        return Person.named(self.sim.world, name)

    def say(self, name: str, channel: str, words: str, *, thread: Message | None = None) -> Message:
        return self.person(name).say(channel, words, thread_ts=(thread.thread_ts or thread.ts) if thread else None)

    def ask(self, name: str, channel: str, question: str = QUESTION, *, thread: Message | None = None) -> Message:
        """A mention of the bot."""
        return self.say(name, channel, f"{self.bot} {question}", thread=thread)

    def fault(self, method: str, mode: Mode, **values: Any) -> None:
        self.sim.simulation.faults.plan(Fault(method, mode, **values))

    def calls(self, method: str) -> list[dict[str, Any]]:
        return [call["arguments"] for call in self.sim.simulation.calls.of(method)]

    def replies(self, asked: Message) -> list[Message]:
        """What the bot has left standing in the thread of a message."""
        channel = self.sim.world.channels[asked.channel]
        thread = channel.threads.get(asked.thread_ts or asked.ts, [])
        return [channel.messages[ts] for ts in thread if channel.messages[ts].bot_id == self.sim.world.app.bot_id]

    def spoken(self) -> list[Message]:
        """Everything that the bot has left standing anywhere."""
        ours = self.sim.world.app.bot_id
        everywhere = self.sim.world.channels.values()
        return [message for channel in everywhere for message in channel.messages.values() if message.bot_id == ours]

    async def opened(self, asked: Message) -> None:
        """Wait until the question has its turn: events that are on their way together may overtake each other."""

        async def known() -> bool:
            statement = f"SELECT 1 FROM turns WHERE message_ts = '{asked.ts}'"
            return bool(await self.rows(statement, own=True))

        await until(known)

    async def answer(self, asked: Message) -> Message:
        """The one answer, after everything that could make a second one is over."""
        await self.rest()
        (reply,) = self.replies(asked)
        return reply

    async def rest(self) -> None:
        """Wait until every event was delivered and the queue is empty; nothing may have failed."""
        await until(self.is_idle)

    async def is_idle(self) -> bool:
        """Whether every event was delivered and the queue is empty."""
        known = self._delivered()
        if known is None or not await _is_empty(self.link):
            return False
        if await self.rows("SELECT 1 FROM slack_messages WHERE indexed_at IS NULL LIMIT 1", own=True):
            return False
        return self._delivered() == known  # what a worker posts before it is done comes back as an event

    def _delivered(self) -> int | None:
        """How many events were delivered; None while one is on its way."""
        deliveries = self.sim.simulation.outbox.deliveries
        return len(deliveries) if all(sent.acked or sent.given_up for sent in deliveries) else None

    async def rows(self, statement: str, *, own: bool = False) -> list[tuple[Any, ...]]:
        """Ask the database: as the engine, or as the tenant for what is its `own`."""
        async with self.running.database.session(self.tenant.id if own else None) as session:
            return [tuple(row) for row in await session.execute(text(statement))]

    async def turn_states(self) -> list[str]:
        return [state for (state,) in await self.rows(f"SELECT state FROM {Turn.__tablename__}", own=True)]

    async def put(self, passage: NewPassage = RUNBOOK, *, source: str = "docs") -> None:
        async with self.running.database.session(self.tenant.id) as session:
            await self.running.index.put(session, self.tenant.id, source, [passage])


@asynccontextmanager
async def at_work(
    sim: SlackSim, database_url: str | None, home: Path, *, via: Via = "socket", **settings: Any
) -> AsyncGenerator[Product]:
    """The product with all its roles, connected to `sim`, with one document, and done with its first reading."""
    async with open_process(configure(sim, database_url, home, via=via, **settings), set(Role)) as running:
        product = Product(sim, running, await running.workspace.tenant())
        sim.world.listen(_recorder(product))
        await connect(sim, running, via=via)
        await running.workspace.synced.wait()
        await product.put()
        async with product.link:
            await product.rest()
            yield product


def configure(sim: SlackSim, database_url: str | None, home: Path, *, via: Via = "socket", **settings: Any) -> Config:
    """Settings for a product whose Slack is `sim`; nothing comes from the environment."""
    app = sim.world.app
    given = {
        "database_url": database_url,
        "home": home,
        "port": 0,
        "embedder": "none",
        "model": "offline",
        "slack_bot_token": app.bot_token,
        "slack_app_token": app.app_token if via == "socket" else None,
        "slack_signing_secret": app.signing_secret if via == "http" else None,
        "slack_api_url": sim.api_url,
    }
    return Config(**{**given, **ENGINE, **settings})


async def connect(sim: SlackSim, running: Running, *, via: Via) -> None:
    """Have events come the chosen way."""
    if via == "http":
        url = f"{running.address}/slack/events"
        assert await sim.simulation.webhook.verify(url)
        sim.world.app.events_url = url
    else:
        sim.world.app.events_url = ""
        await until(lambda: _true(sim.simulation.sockets.connection_count > 0))


async def drained(database: DatabaseConnection) -> None:
    """Wait until every event is completed; none may have failed."""
    async with Link(database) as link:
        await until(lambda: _is_empty(link))


async def _is_empty(link: Link) -> bool:
    try:
        [(queued, failed)] = await link.fetch(_QUEUE, [])
    except FAULTS:  # some tests take the database away
        return False
    assert failed is None
    return not queued


_QUEUE = """
    SELECT EXISTS (SELECT FROM queued_events), (SELECT array_agg(f.kind || ': ' || f.error) FROM failed_events AS f)
"""


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    """Wait until a condition holds; who announces it is another process, or nobody."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _true(value: bool) -> bool:
    return value


def _recorder(product: Product) -> Callable[[Any], None]:
    def record(change: Any) -> None:
        message = getattr(change, "message", None)
        if isinstance(message, Message) and message.bot_id == product.sim.world.app.bot_id:
            product.seen.setdefault(message.ts, []).append(said(message))

    return record
