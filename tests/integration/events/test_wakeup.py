from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import psycopg
import pytest

from athenaeum.domain.identity import EventId
from athenaeum.events import queue
from athenaeum.events.wakeup import Bell, listen
from athenaeum.worker.pool import WorkerPool
from support.events import Queue, listening, until

LONG = timedelta(seconds=30)


@asynccontextmanager
async def _ears(events: Queue, cancelled: list[EventId] | None = None) -> AsyncGenerator[Bell]:
    bell = Bell()
    cancelled = [] if cancelled is None else cancelled
    task = asyncio.create_task(listen(events.database, bell, cancelled.append))
    try:
        await listening(events)
        await _rung(bell)  # something may have happened before it listened
        yield bell
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        bell.silence()


async def _rung(bell: Bell, *, within: float = 10) -> None:
    async with asyncio.timeout(within):
        await bell.wait(LONG)


async def test_a_commit_wakes_listeners_and_a_rollback_does_not(events: Queue) -> None:
    async with _ears(events) as bell:
        async with events.database.session() as session:
            await (await session.connection()).exec_driver_sql("SELECT pg_notify('athenaeum_events', '0')")
            await session.rollback()
        with pytest.raises(TimeoutError):
            await _rung(bell, within=0.3)
        await events.put()
        await _rung(bell)


async def test_a_delayed_event_wakes_listeners_when_it_is_due(events: Queue) -> None:
    async with _ears(events) as bell:
        await events.put(delay=timedelta(seconds=0.5))
        await _rung(bell)
        assert len(await events.claim()) == 1


async def test_the_next_of_a_key_wakes_listeners_when_the_head_is_done(events: Queue) -> None:
    async with _ears(events) as bell:
        await events.put(ordering_key="a")
        await _rung(bell)
        await events.put(ordering_key="a")
        async with WorkerPool(1, events.database, lambda _: None):
            await _rung(bell)


async def test_whoever_completes_a_head_is_told_when_the_next_of_its_key_is_due(events: Queue) -> None:
    await events.put(0, ordering_key="a")
    await events.put(1, ordering_key="a", delay=LONG)
    head = await events.claim_one()
    completion = await queue.complete(events.link, [head])
    assert completion.next_in is not None
    assert timedelta(0) < completion.next_in <= LONG


async def test_cancelling_what_runs_is_heard(events: Queue) -> None:
    cancelled: list[EventId] = []
    async with _ears(events, cancelled):
        event_id = await events.put()
        await events.claim_one()
        assert await events.sql("SELECT events_cancel(%s)", event_id) == [(True,)]
        await until(lambda: cancelled == [event_id])


async def test_a_listener_comes_back_after_a_loss_and_looks_again(events: Queue) -> None:
    async with _ears(events) as bell:
        with psycopg.connect(events.database.url, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
        await _rung(bell)
        await events.put()
        await _rung(bell)


async def test_a_wait_ends_with_its_time() -> None:
    async with asyncio.timeout(10):
        await Bell().wait(timedelta(milliseconds=10))


async def test_a_ring_before_the_wait_is_not_lost() -> None:
    bell = Bell()
    bell.ring()
    await _rung(bell)


async def test_a_million_alarms_are_a_handful_of_timers() -> None:
    bell = Bell()
    for n in range(10_000):
        bell.ring(timedelta(seconds=1 + n / 10_000))
    assert len(bell._alarms) <= 12
    bell.ring(timedelta(days=1))
    assert len(bell._alarms) <= 12
    bell.silence()
    assert not bell._alarms
