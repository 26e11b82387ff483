"""No connection is left, in the pool or at the server, or no room on the disk: slower, not wrong, and told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.embedded import EmbeddedPostgres
from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.model import Message
from slacksim.server import SlackSim
from support.database import PostgresServer
from support.product import COMPANY, Product, at_work, until
from support.record import DEADLINE_SECONDS, Record

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

_HANG_UP = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = 'athenaeum'"
)


@pytest.fixture
async def sim() -> AsyncGenerator[SlackSim]:
    """A Slack that does not give up while the test goes on."""
    async with SlackSim(scenario.build(COMPANY), timing=Timing(ack_seconds=3, retry_delays=(0.2,) * 500)) as running:
        yield running


async def _health(product: Product) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{product.running.address}/health") as answer:
        return await answer.json()


def _ask_five(product: Product) -> list[Message]:
    return [product.ask("maya", "platform") for _ in range(5)]


async def _answered_once(product: Product, asked: list[Message]) -> None:
    """What a person sees below each question, in the end: one message of the bot, which is an answer."""
    await until(product.is_idle, seconds=DEADLINE_SECONDS)
    async with aiohttp.ClientSession() as session:
        for question in asked:
            query = {"channel": question.channel, "thread_ts": question.ts}
            async with session.get(f"{product.sim.url}/_sim/messages", params=query) as got:
                thread = (await got.json())["messages"]
            said = [message["text"] for message in thread if message["user"] == product.sim.world.app.user_id]
            assert len(said) == 1, said
            assert "Thinking" not in said[0]
    assert set(await product.turn_states()) == {"delivered"}


async def test_one_pooled_connection_is_enough(
    sim: SlackSim, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = partial(DatabaseConnection, pool_size=1, max_overflow=0)
    monkeypatch.setattr("athenaeum.wiring.database.DatabaseConnection", one)
    async with at_work(sim, database_url, tmp_path) as product:
        await _answered_once(product, _ask_five(product))

        async with product.running.database.session() as session:  # somebody keeps it for longer than anybody waits
            await session.execute(text("SELECT 1"))
            asked = _ask_five(product)
            health = await _health(product)
            assert health["status"] == "down"
            assert (health["database"]["connections"], health["database"]["limit"]) == (1, 1)
            await until(lambda: _refused(sim), seconds=DEADLINE_SECONDS)
        await _answered_once(product, asked)
        assert (await _health(product))["status"] == "up"


async def _refused(sim: SlackSim) -> bool:
    """Whether Slack was not told of something that it was taken."""
    return any(sent.attempts and not sent.acked for sent in sim.simulation.outbox.deliveries)


@asynccontextmanager
async def _limited(postgres: PostgresServer, name: str, connections: int) -> AsyncGenerator[psycopg.AsyncConnection]:
    """A server that takes no more than so many connections to a database, those that are there included."""
    limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
    async with await psycopg.AsyncConnection.connect(postgres.admin_url, autocommit=True) as admin:
        await admin.execute(limit.format(sql.Identifier(name), sql.Literal(connections)))
        try:
            yield admin
        finally:
            await admin.execute(limit.format(sql.Identifier(name), sql.Literal(-1)))


async def test_a_server_that_takes_no_more_connections_is_made_do_with(
    sim: SlackSim, postgres: PostgresServer, database_url: str, tmp_path: Path
) -> None:
    path = urlsplit(database_url).path
    admin_url = urlsplit(postgres.admin_url)._replace(path=path).geturl()
    async with at_work(sim, database_url, tmp_path) as product, Record(admin_url) as record:
        await _answered_once(product, _ask_five(product))  # by now all is open that a quiet day needs
        async with _limited(postgres, path[1:], 0):
            asked = _ask_five(product)
            assert (await _health(product))["database"]["status"] == "down"
            await until(lambda: _finished(record, 10), seconds=DEADLINE_SECONDS)
        await _answered_once(product, asked)


async def _finished(record: Record, turns: int) -> bool:
    return await record.rows("SELECT FROM turns WHERE finished_at IS NOT NULL") == [{}] * turns


async def test_what_is_asked_while_the_server_takes_no_connection_is_answered_afterwards(
    sim: SlackSim, postgres: PostgresServer, database_url: str, tmp_path: Path
) -> None:
    name = urlsplit(database_url).path[1:]
    async with at_work(sim, database_url, tmp_path) as product:
        async with _limited(postgres, name, 0) as admin:
            await admin.execute(_HANG_UP, [name])
            asked = _ask_five(product)
            await until(lambda: _refused(sim), seconds=DEADLINE_SECONDS)
            assert (await _health(product))["status"] == "down"
            assert product.spoken() == []
        await _answered_once(product, asked)
        assert (await _health(product))["status"] == "up"


async def test_what_is_asked_while_the_disk_is_full_is_answered_when_there_is_room(
    sim: SlackSim, small_disk: Path
) -> None:
    room = small_disk / "room"
    room.write_bytes(bytes(40_000_000))  # recovery begins new segments of the log, 16 MB each
    async with at_work(sim, None, small_disk) as product, EmbeddedPostgres(small_disk) as server:
        await asyncio.to_thread(_fill, server.url, small_disk / "ballast")
        asked = _ask_five(product)
        await until(lambda: _refused(sim), seconds=DEADLINE_SECONDS)
        acked = {
            sent.payload["event"]["ts"] for sent in sim.simulation.outbox.deliveries if sent.acked and sent.attempts
        }
        room.unlink()
        (small_disk / "ballast").unlink()
        await _answered_once(product, asked)
        kept = {ts for (ts,) in await product.rows("SELECT ts FROM slack_messages", own=True)}
        assert acked <= kept


def _fill(url: str, ballast: Path) -> None:
    """Use up what is left, in the database and beside it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE filler (words text)")
        try:
            while True:
                connection.execute("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
        except psycopg.OperationalError:
            pass
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1_000_000))
        except OSError:
            return
