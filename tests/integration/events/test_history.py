from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from athenaeum.events import queue
from athenaeum.events.history import upkeep
from support.events import Queue

_PARTITIONS = """
    SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'finished_events'::regclass ORDER BY 1"""


def _partition(day: datetime) -> str:
    return f"finished_events_{day:%Y%m%d}"


async def test_the_coming_week_has_a_partition_a_day(events: Queue) -> None:
    found = [name for (name,) in await events.sql(_PARTITIONS)]
    today = datetime.now(UTC)
    assert {_partition(today + timedelta(days=n)) for n in range(1, 7)} <= set(found)


async def test_upkeep_drops_days_that_are_too_old_and_keeps_the_rest(events: Queue, database_url: str) -> None:
    old, young = datetime.now(UTC) - timedelta(days=40), datetime.now(UTC) - timedelta(days=10)
    with psycopg.connect(database_url, autocommit=True) as owner:
        for day in (old, young):
            bounds = f"FROM ('{day:%Y-%m-%d} 00:00+00') TO ('{day + timedelta(days=1):%Y-%m-%d} 00:00+00')"
            owner.execute(f"CREATE TABLE {_partition(day)} PARTITION OF finished_events FOR VALUES {bounds}".encode())
    async with events.database.session() as session:
        await upkeep(session)
        await upkeep(session)
    found = [name for (name,) in await events.sql(_PARTITIONS)]
    assert _partition(old) not in found
    assert _partition(young) in found


async def test_upkeep_forgets_old_rows_of_days_without_a_partition(events: Queue) -> None:
    for n in range(2):
        await events.put(n)
    await queue.complete(events.link, await events.claim(1))
    async with events.database.session() as session:
        await upkeep(session, keep=timedelta(0))
    assert await events.stats() == {"pending": 1, "processing": 0, "completed": 0, "failed": 0}


async def test_failed_events_outlive_the_retention(events: Queue) -> None:
    await events.put()
    await queue.fail(events.link, await events.claim_one(), "x")
    async with events.database.session() as session:
        await upkeep(session, keep=timedelta(0))
    assert (await events.stats())["failed"] == 1


async def test_a_day_without_dedupe_is_refused(events: Queue) -> None:
    async with events.database.session() as session:
        with pytest.raises(ValueError, match="24 hours"):
            await upkeep(session, keep_keys=timedelta(hours=23))
