from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from athenaeum.events.link import Backoff, Link
from support.events import Queue


async def test_a_lost_connection_is_reported_and_the_next_call_connects_again(events: Queue) -> None:
    async with Link(events.database) as link:
        [[pid]] = await link.fetch("SELECT pg_backend_pid()", ())
        with psycopg.connect(events.database.url, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(%s)", (pid,))
        with pytest.raises(psycopg.OperationalError):
            await link.fetch("SELECT 1", ())
        assert await link.fetch("SELECT 1", ()) == [(1,)]


async def test_a_statement_that_hangs_is_cut_off(events: Queue) -> None:
    async with Link(events.database, patience=timedelta(seconds=0.3)) as link:
        async with asyncio.timeout(10):
            with pytest.raises(psycopg.OperationalError):
                await link.fetch("SELECT pg_sleep(60)", ())
        assert await link.fetch("SELECT 1", ()) == [(1,)]


async def test_an_error_of_the_statement_keeps_the_connection(events: Queue) -> None:
    before = await events.sql("SELECT pg_backend_pid()")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await events.sql("SELECT 1 / 0")
    assert await events.sql("SELECT pg_backend_pid()") == before


async def test_a_link_may_be_closed_twice(events: Queue) -> None:
    await events.link.close()
    await events.link.close()


def test_backoff_grows_to_its_limit_and_starts_again() -> None:
    backoff = Backoff()
    waits = [backoff.next().total_seconds() for _ in range(10)]
    assert waits[0] < 0.13
    assert max(waits) <= 6
    backoff.reset()
    assert backoff.next().total_seconds() < 0.13
