from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import psycopg
import pytest
import pytest_asyncio

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.link import Backoff, Link


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as database:
        yield database


@pytest_asyncio.fixture
async def link(database: DatabaseConnection) -> AsyncGenerator[Link]:
    async with Link(database) as link:
        yield link


async def test_a_lost_connection_is_reported_and_the_next_call_connects_again(
    database: DatabaseConnection, link: Link
) -> None:
    [[pid]] = await link.fetch("SELECT pg_backend_pid()", ())
    with psycopg.connect(database.url, autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(psycopg.OperationalError):
        await link.fetch("SELECT 1", ())
    assert await link.fetch("SELECT 1", ()) == [(1,)]


async def test_a_statement_that_hangs_is_cut_off(database: DatabaseConnection) -> None:
    async with Link(database, patience=timedelta(seconds=0.3)) as link:
        async with asyncio.timeout(10):
            with pytest.raises(psycopg.OperationalError):
                await link.fetch("SELECT pg_sleep(60)", ())
        assert await link.fetch("SELECT 1", ()) == [(1,)]


async def test_an_error_of_the_statement_keeps_the_connection(link: Link) -> None:
    before = await link.fetch("SELECT pg_backend_pid()", ())
    with pytest.raises(psycopg.errors.DivisionByZero):
        await link.fetch("SELECT 1 / 0", ())
    assert await link.fetch("SELECT pg_backend_pid()", ()) == before


async def test_a_link_may_be_closed_twice(link: Link) -> None:
    await link.close()
    await link.close()


def test_backoff_grows_to_its_limit_and_starts_again() -> None:
    backoff = Backoff()
    waits = [backoff.next().total_seconds() for _ in range(10)]
    assert waits[0] < 0.13
    assert max(waits) <= 6
    backoff.reset()
    assert backoff.next().total_seconds() < 0.13
