from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest_asyncio

from athenaeum.database.connection import DatabaseConnection

_LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as database:
        yield database


def _do(database: DatabaseConnection, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.url, autocommit=True) as owner:
        return owner.execute(statement.encode()).fetchall()


async def _next(heard: asyncio.Queue[str | None]) -> str | None:
    return await asyncio.wait_for(heard.get(), 20)


async def test_subscribers_of_several_channels_share_one_connection(database: DatabaseConnection) -> None:
    first: asyncio.Queue[str | None] = asyncio.Queue()
    second: asyncio.Queue[str | None] = asyncio.Queue()
    async with database.subscriptions.subscribe("test_first", first.put_nowait):
        assert await _next(first) is None
        async with database.subscriptions.subscribe("test_second", second.put_nowait):
            assert await _next(second) is None
            assert await _next(first) is None  # nobody read the connection meanwhile
            _do(database, "SELECT pg_notify('test_first', 'a'), pg_notify('test_second', 'b')")
            assert (await _next(first), await _next(second)) == ("a", "b")
            assert _do(database, f"SELECT count(*) {_LISTENERS}") == [(1,)]
        _do(database, "SELECT pg_notify('test_second', 'c'), pg_notify('test_first', 'd')")
        assert await _next(first) == "d"
        assert second.empty()


async def test_who_listens_is_told_of_the_gap_that_a_loss_leaves(database: DatabaseConnection) -> None:
    heard: asyncio.Queue[str | None] = asyncio.Queue()
    async with database.subscriptions.subscribe("test", heard.put_nowait):
        assert await _next(heard) is None
        assert _do(database, f"SELECT pg_terminate_backend(pid) {_LISTENERS}") == [(True,)]
        assert await _next(heard) is None
        _do(database, "SELECT pg_notify('test', 'again')")
        assert await _next(heard) == "again"


async def test_the_connection_is_closed_with_the_last_subscriber(database: DatabaseConnection) -> None:
    for _ in range(2):  # and opened for the next one
        heard: asyncio.Queue[str | None] = asyncio.Queue()
        async with database.subscriptions.subscribe("test", heard.put_nowait):
            assert await _next(heard) is None
        async with asyncio.timeout(20):
            while _do(database, f"SELECT count(*) {_LISTENERS}") != [(0,)]:  # noqa: ASYNC110 - it is the server that ends it
                await asyncio.sleep(0.02)
    await database.subscriptions.close()
    await database.subscriptions.close()
