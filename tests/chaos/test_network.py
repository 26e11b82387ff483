"""The connection to PostgreSQL, or to Slack, is lost at any packet of a turn."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from slacksim.model import Message
from slacksim.server import SlackSim
from support.database import PostgresServer
from support.lanes import each
from support.product import Product, at_work, workspace
from support.record import DEADLINE_SECONDS, Record
from support.relay import Fault, Manner, Relay

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

SAMPLE = 4
"""Packets at which a usual run cuts, always the same ones."""
TOLD = (Manner.CUT, Manner.SERVER_UNTOLD)
"""The others take 30 s each, until patience ends."""
SHARES = (4, 1, 1, 1)
"""Of four packets, at how many a storm strikes in each manner."""
# A transaction that has begun, and never said as whom, may wait for the server's own timeout: it holds nothing.
_HELD = """
    SELECT pid FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND locktype <> 'virtualxid'
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """The whole product in this process, and the lines through which it reaches the others."""

    product: Product
    record: Record
    sim: SlackSim
    database: Relay
    slack: Relay

    async def answered(self, asked: Message) -> str:
        """Wait until nothing is left to do; gives what is wrong then."""
        outbox = self.sim.simulation.outbox
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not all(sent.acked or sent.given_up for sent in outbox.deliveries):  # noqa: ASYNC110 - as a person
                await asyncio.sleep(0.05)
            await self.record.turn_over()
            while await self.record.rows(_HELD):  # noqa: ASYNC110 - the server ends it
                await asyncio.sleep(0.1)
        said = [
            message["text"] for message in await self._visible(asked) if message["user"] == self.sim.world.app.user_id
        ]
        turns = [row["state"] for row in await self.record.rows("SELECT state FROM turns")]
        events = await self.record.rows("SELECT kind, error FROM failed_events")
        if len(said) != 1 or "Thinking" in said[0] or turns != ["delivered"] or events:
            return f"shown: {said}, turns: {turns}, failed: {events}"
        return ""

    async def _visible(self, asked: Message) -> list[dict[str, str]]:
        """What a person sees in the thread."""
        query = {"channel": asked.channel, "thread_ts": asked.ts}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.sim.url}/_sim/messages", params=query) as got,
        ):
            return (await got.json())["messages"]


Begin = Callable[[], AbstractAsyncContextManager[Scene]]


@pytest.fixture
def begin(postgres: PostgresServer, template: str, tmp_path: Path) -> Begin:
    """Begins scenes, any number at once, each with a database of its own."""
    numbers = itertools.count()

    @asynccontextmanager
    async def scene() -> AsyncGenerator[Scene]:
        name = f"network_{next(numbers)}_{id(tmp_path):x}"
        home = tmp_path / name
        url = await asyncio.to_thread(postgres.create, name, template=template)
        admin_url = urlsplit(postgres.admin_url)._replace(path=f"/{name}").geturl()
        try:
            async with (
                Record(admin_url) as record,
                workspace() as sim,
                Relay(url) as database,
                Relay(sim.api_url) as slack,
                at_work(sim, database.url, home, slack_api_url=slack.url) as product,
            ):
                yield Scene(product, record, sim, database, slack)
        finally:
            await asyncio.to_thread(postgres.drop, name)

    return scene


async def _packets(begin: Begin, to: str) -> int:
    """How many packets a turn takes that nothing disturbs."""
    async with begin() as scene:
        relay: Relay = getattr(scene, to)
        counted = relay.fault = Fault(0, Manner.CUT)
        asked = scene.product.ask("maya", "platform")
        assert not await scene.answered(asked)
        return counted.seen


async def _struck(begin: Begin, to: str, packet: int, manner: Manner) -> str:
    """Strike at one packet of a turn; gives what is wrong in the end."""
    async with begin() as scene:
        relay: Relay = getattr(scene, to)
        fault = relay.fault = Fault(packet, manner)
        asked = scene.product.ask("maya", "platform")
        try:
            wrong = await scene.answered(asked)
        except TimeoutError:
            wrong = "it was not over in time"
        return (
            f"{manner} to the {to} at {'' if fault.struck.is_set() else '(never) '}{packet}: {wrong}" if wrong else ""
        )


@pytest.mark.parametrize("to", ["database", "slack"])
async def test_a_connection_lost_at_any_packet_costs_no_answer_and_makes_none_twice(
    begin: Begin, storm: bool, to: str
) -> None:
    packets = range(1, await _packets(begin, to) + 1)
    if storm:
        trials = [
            f"{packet} {manner}"
            for manner, share in zip(Manner, SHARES, strict=True)
            for packet in packets
            if to == "slack" or packet % 4 < share
        ]
    else:
        sample = random.Random(SAMPLE).sample(packets, SAMPLE)
        trials = [f"{packet} {manner}" for packet, manner in zip(sample, itertools.cycle(TOLD), strict=False)]

    async def attempt(trial: str) -> str:
        packet, manner = trial.split(" ", 1)
        return await _struck(begin, to, int(packet), Manner(manner))

    wrong = await each(trials, attempt)
    assert not wrong, wrong
