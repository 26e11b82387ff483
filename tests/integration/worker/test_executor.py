from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from athenaeum.domain.event import Event
from athenaeum.events import queue
from athenaeum.worker.execution import Process
from athenaeum.worker.executor import Executor
from support.events import MINUTE, Queue, until


def _executor(events: Queue, process: Process, *, size: int = 1) -> Executor:
    return Executor(
        events.database,
        process,
        size=size,
        visibility_timeout=MINUTE,
        max_retries=3,
        drain_time=timedelta(seconds=5),
    )


async def test_an_event_is_settled_when_its_outcome_is_durable(events: Queue) -> None:
    event_id = await events.put()
    async with _executor(events, lambda _: None) as executor:
        executor.begin(await events.claim_one())
        await executor.settled(event_id)
        assert (await events.show(event_id)).status == "completed"
        await executor.settled(event_id)  # whoever asks late is not kept waiting


async def test_a_claim_that_finds_no_worker_is_soon_handed_back_uncounted(events: Queue) -> None:
    for n in range(3):
        await events.put(n)
    going_on = asyncio.Event()

    async def hold(_: Event) -> None:
        await going_on.wait()

    async with _executor(events, hold) as executor:
        for event in await events.claim():
            executor.begin(event)
        await until(lambda: len(executor.held) == 1)
        others = await events.claim()
        assert sorted((event.payload["n"], event.attempt) for event in others) == [(1, 1), (2, 1)]
        going_on.set()


async def test_a_cancelled_event_stops_its_handler_and_no_other(events: Queue) -> None:
    stopped: list[int] = []
    going_on = asyncio.Event()

    async def hold(event: Event) -> None:
        try:
            await going_on.wait()
        except asyncio.CancelledError:
            stopped.append(event.payload["n"])
            raise

    async with _executor(events, hold, size=2) as executor:
        ids = [await events.put(n) for n in range(2)]
        for event in await events.claim():
            executor.begin(event)
        await asyncio.sleep(0)  # let the handlers begin
        executor.cancel(ids[1])
        await until(lambda: stopped == [1])
        assert executor.held == [ids[0]]
        going_on.set()


async def test_the_next_of_a_key_is_announced_to_every_process(events: Queue) -> None:
    await events.put(0, ordering_key="a")
    await events.put(1, ordering_key="a")
    noticed = asyncio.Event()
    executor = Executor(
        events.database,
        lambda _: None,
        size=1,
        visibility_timeout=MINUTE,
        max_retries=3,
        drain_time=MINUTE,
        notice=noticed.set,
    )
    async with await events.database.connect() as listener, executor:
        await listener.execute("LISTEN athenaeum_events")
        executor.begin(await events.claim_one())
        async with asyncio.timeout(10):
            await noticed.wait()
            async for said in listener.notifies():
                assert said.payload == "0"
                break
        assert len(await queue.claim(events.link, "w", limit=1, lease=MINUTE)) == 1


async def test_an_executor_without_its_connections_says_so_before_anything_is_claimed(events: Queue) -> None:
    [(name,)] = await events.sql("SELECT current_database()")
    async with await psycopg.AsyncConnection.connect(events.database.url, autocommit=True) as owner:
        limit = sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}")
        await owner.execute(limit.format(sql.Identifier(name), sql.Literal(3)))  # the two that there are, and one more
        async with _executor(events, lambda _: None) as executor:
            with pytest.raises(psycopg.OperationalError, match="too many connections"):
                await executor.connect()
            await owner.execute(limit.format(sql.Identifier(name), sql.Literal(-1)))
            await executor.connect()
