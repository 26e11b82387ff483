"""A world for many questions: a Slack, a model and a PostgreSQL of the test's own, and a fleet that answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.embedded import EmbeddedPostgres
from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.server import SlackSim
from support import verdict
from support.anthropic_server import KEY, AnthropicServer
from support.asked import answer_by_number
from support.crowd import COMPANY, Crowd
from support.fleet import Fleet
from support.outage import Outage
from support.product import until
from support.record import Record
from support.zygote import Zygote

_LOOK_SECONDS = 0.25
_OPEN_SECONDS = 120
_OPEN = "SELECT (SELECT count(*) FROM turns WHERE finished_at IS NULL) + (SELECT count(*) FROM queued_events) AS left"
_SPENT = """
    SELECT sum(attempt - 1)::int AS repeats, count(*) FILTER (WHERE error LIKE 'the lease of%')::int AS rescued,
           max(waited)::float AS longest, percentile_cont(0.5) WITHIN GROUP (ORDER BY waited)::float AS median
    FROM (SELECT attempt, error, extract(epoch FROM finished_at - created_at) AS waited
          FROM finished_events WHERE kind = 'turn') AS turns
"""
_HASTEN = "UPDATE queued_events SET ready_at = now() WHERE state <> 'running' AND ready_at > now() RETURNING event_id"


@dataclass(frozen=True, slots=True)
class Spent:
    """How questions fared: claims beyond the first, leases that ran out, and the longest time in seconds."""

    repeats: int
    rescued: int
    longest: float
    median: float


@dataclass(slots=True)
class Town:
    """Everything there is, until the block ends."""

    sim: SlackSim
    model: AnthropicServer
    server: EmbeddedPostgres
    outage: Outage
    crowd: Crowd
    fleet: Fleet

    async def open(self, *, workers: int, gateways: int) -> None:
        """Start the processes, and wait until each gateway is connected and a worker has answered."""
        self.fleet.man(worker=workers, gateway=gateways)

        async def connected() -> bool:
            return self.sim.simulation.sockets.connection_count >= gateways

        await until(connected, seconds=_OPEN_SECONDS)
        async with asyncio.timeout(_OPEN_SECONDS):
            await self.crowd.ask().answered.wait()

    async def rows(self, query: LiteralString) -> list[dict[str, Any]]:
        """Ask the database, as often as it takes to get an answer."""
        while True:
            with suppress(psycopg.OperationalError):
                async with Record(self.server.superuser_url) as record:
                    return await record.rows(query)
            await asyncio.sleep(_LOOK_SECONDS)

    @asynccontextmanager
    async def hastened(self) -> AsyncGenerator[None]:
        """What waits for another attempt waits no longer in this block: backoff is not what is tried here."""

        async def hasten() -> None:
            while True:
                await self.rows(_HASTEN)
                await asyncio.sleep(_LOOK_SECONDS)

        async with asyncio.TaskGroup() as group:
            hastening = group.create_task(hasten())
            yield
            hastening.cancel()

    async def rest(self, *, seconds: float) -> str:
        """Wait until every question is answered and the queue is empty; what is left then, nothing it is hoped."""
        with suppress(TimeoutError):
            await until(self._at_rest, seconds=seconds)
            return ""
        left = await self.rows("SELECT event_id, kind, state, attempt, error FROM queued_events LIMIT 10")
        return f"after {seconds:.0f} s unanswered: {self.crowd.waiting()[:10]}, queued: {left}"

    async def filed(self, *, seconds: float) -> None:
        """Wait until all that was said is in the archive and in the index."""
        said = sum(len(channel.messages) for channel in self.sim.world.channels.values())

        async def filed() -> bool:
            [row] = await self.rows("SELECT count(*) AS known, count(indexed_at) AS indexed FROM slack_messages")
            return row["known"] == row["indexed"] >= said

        await until(filed, seconds=seconds)

    async def _at_rest(self) -> bool:
        return not self.crowd.waiting() and not (await self.rows(_OPEN))[0]["left"]

    async def faults(self) -> list[str]:
        """What is wrong once everybody has gone home."""
        turns = await self.rows("SELECT turn_id, state FROM turns")
        deliveries = await self.rows("SELECT channel_id, ts FROM deliveries JOIN turns USING (tenant_id, turn_id)")
        failed = await self.rows("SELECT event_id, kind, error FROM failed_events")
        deserted = [f"{member.log.name} ended by itself" for member in self.fleet.deserted]
        return [
            *deserted,
            *verdict.in_crowd(self.sim.world, self.crowd.asked),
            *verdict.on_books(self.sim.world, self.crowd.asked, turns=turns, deliveries=deliveries, failed=failed),
        ]

    async def spent(self) -> Spent:
        """What the queue kept of how it went."""
        [row] = await self.rows(_SPENT)
        return Spent(**row)

    async def judge(self, *, seconds: float) -> str:
        """Wait for the rest, send everybody home, and tell what is wrong; nothing, it is hoped."""
        late = await self.rest(seconds=seconds)
        await self.fleet.disband()
        faults = [late] if late else await self.faults()
        return "\n".join([*faults, self.fleet.account()]) if faults else ""


BeginTown = Callable[[Mapping[str, str]], AbstractAsyncContextManager[Town]]


@asynccontextmanager
async def town(home: Path, zygote: Zygote, logs: Path, settings: Mapping[str, str]) -> AsyncGenerator[Town]:
    """A town whose database lives in `home`, and whose processes write to `logs`; all of them end with the block."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedPostgres(home))
        async with DatabaseConnection(server.url) as database:
            await database.create_tables()
        patience = Timing(ack_seconds=3, retry_delays=(0.5,) * 2000)
        sim = await stack.enter_async_context(SlackSim(scenario.build(COMPANY), timing=patience))
        model = await stack.enter_async_context(AnthropicServer())
        model.reply = answer_by_number
        app = sim.world.app
        environment = {
            "DATABASE_URL": server.url,
            "SLACK_API_URL": sim.api_url,
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": model.url,
            "ATHENAEUM_HOME": str(logs),
            "ATHENAEUM_PORT": "0",
            "ATHENAEUM_EMBEDDER": "none",
            "RATE_LIMIT_PER_MINUTE": "0",
            **settings,
        }
        fleet = Fleet(zygote, environment, logs)
        try:
            yield Town(sim, model, server, Outage(server), Crowd(sim), fleet)
        finally:
            for crew in fleet.crew.values():
                for member in crew:
                    member.kill()
                    await member.ended()
