from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from athenaeum.domain.event import Event
from athenaeum.domain.identity import EventId
from athenaeum.events import admin, queue
from athenaeum.worker.pool import WorkerPool
from support.events import Queue, listening, until, waits_for_a_lock

HOUR = timedelta(hours=1)


async def cancel(events: Queue, event_id: EventId) -> None:
    async with events.database.session() as session:
        await admin.cancel(session, event_id)


async def in_state(events: Queue, state: str) -> EventId:
    """An event in this state, and one behind it in its key."""
    if state == "blocked":
        await events.put(ordering_key="a")
    event_id = await events.put(1, ordering_key="a", delay=HOUR if state == "waiting" else timedelta(0))
    await events.put(2, ordering_key="a")
    if state == "running":
        await events.claim()
    assert await events.sql("SELECT state FROM queued_events WHERE event_id = %s", event_id) == [(state,)]
    return event_id


@pytest.mark.parametrize("state", ["waiting", "ready", "blocked", "running"])
async def test_an_unfinished_event_is_ended_and_kept_as_cancelled(events: Queue, state: str) -> None:
    event_id = await in_state(events, state)
    await cancel(events, event_id)
    record = await events.show(event_id)
    assert (record.status, record.error_message, record.payload) == ("failed", "cancelled", {"n": 1})


@pytest.mark.parametrize("state", ["waiting", "ready", "blocked", "running"])
async def test_the_next_of_its_key_goes_on(events: Queue, state: str) -> None:
    event_id = await in_state(events, state)
    await cancel(events, event_id)
    if state == "blocked":
        await queue.complete(events.link, await events.claim())
    assert [event.payload["n"] for event in await events.claim()] == [2]


@pytest.mark.parametrize("state", ["waiting", "ready", "blocked", "running"])
async def test_a_cancelled_event_may_be_retried(events: Queue, state: str) -> None:
    event_id = await in_state(events, state)
    await cancel(events, event_id)
    async with events.database.session() as session:
        await admin.retry(session, event_id)
    seen: list[int] = []
    while claimed := await events.claim():
        seen += [event.payload["n"] for event in claimed]
        await queue.complete(events.link, claimed)
    assert seen.count(1) == 1


async def test_what_is_finished_is_not_cancelled(events: Queue) -> None:
    completed, failed = await events.put(0), await events.put(1)
    first, second = await events.claim()
    await queue.complete(events.link, [first])
    await queue.fail(events.link, second, "no")
    for event_id, status in ((completed, "completed"), (failed, "failed")):
        with pytest.raises(admin.NoSuchEvent, match=f"is {status} already"):
            await cancel(events, event_id)
    with pytest.raises(admin.NoSuchEvent, match="no event 404"):
        await cancel(events, EventId(404))


async def test_the_handler_of_a_cancelled_event_is_stopped_at_once_and_no_other(events: Queue) -> None:
    stopped: list[int] = []
    begun: list[int] = []

    async def handle(event: Event) -> None:
        begun.append(event.payload["n"])
        try:
            await asyncio.sleep(60 if event.payload["n"] < 2 else 0)
        except asyncio.CancelledError:
            stopped.append(event.payload["n"])
            raise

    cancelled = await events.put(0)
    await events.put(1)
    pool = WorkerPool(3, events.database, handle, visibility_timeout=HOUR, drain_time=timedelta(0))
    async with pool:
        await listening(events)
        await until(lambda: len(begun) == 2)
        await cancel(events, cancelled)  # no heartbeat would tell of it within the hour
        await until(lambda: stopped == [0], seconds=5)
        await events.put(2)
        await until(lambda: 2 in begun)
        assert pool.get_stats()["total_events_failed"] == 0
    assert (await events.show(cancelled)).error_message == "cancelled"


async def test_a_handler_that_ends_after_the_cancel_changes_nothing(events: Queue) -> None:
    event_id = await events.put()
    event = await events.claim_one()
    await cancel(events, event_id)
    assert (await queue.complete(events.link, [event])).done == set()
    assert not await queue.retry(events.link, event, "late", after=HOUR)
    assert (await events.show(event_id)).status == "failed"


async def test_the_key_goes_on_when_its_next_event_is_cancelled_while_its_head_completes(events: Queue) -> None:
    for n in range(3):
        await events.put(n, ordering_key="a")
    [head] = await events.claim()
    async with events.database.session() as session:
        await admin.cancel(session, EventId(head.id + 1))
        completing = asyncio.create_task(queue.complete(events.link, [head]))
        await waits_for_a_lock(events, completing)
    assert (await completing).done == {head.id}
    assert [event.payload["n"] for event in await events.claim()] == [2]


async def test_an_event_that_becomes_the_head_while_it_is_being_cancelled_is_cancelled(events: Queue) -> None:
    for n in range(3):
        await events.put(n, ordering_key="a")
    [head] = await events.claim()
    async with events.database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("SELECT events_complete_one(%s, %s)", (head.id, head.token))
        cancelling = asyncio.create_task(cancel(events, EventId(head.id + 1)))
        await waits_for_a_lock(events, cancelling)
    await cancelling
    assert [event.payload["n"] for event in await events.claim()] == [2]


async def test_an_event_that_is_claimed_while_it_is_being_cancelled_is_stopped(events: Queue) -> None:
    event_id = await events.put()
    async with await psycopg.AsyncConnection.connect(events.database.url, autocommit=True) as ears:
        await ears.execute("LISTEN athenaeum_events")
        async with await psycopg.AsyncConnection.connect(events.database.url) as claimer:
            await claimer.execute("SELECT events_claim_one('you', %s, '1 minute')", [event_id])
            cancelling = asyncio.create_task(cancel(events, event_id))
            await waits_for_a_lock(events, cancelling)
        await cancelling
        async with asyncio.timeout(30):
            async for notify in ears.notifies():
                if notify.payload == f"cancel {event_id}":
                    return


async def test_cancelling_and_completing_at_once_never_strand_a_key(events: Queue) -> None:
    async with Queue(events.database) as other:
        for n in range(0, 90, 3):
            for behind in range(3):
                await events.put(n + behind, ordering_key="a")
            [head] = await events.claim()
            async with asyncio.TaskGroup() as group:
                group.create_task(queue.complete(events.link, [head]))
                group.create_task(other.sql("SELECT events_cancel(%s)", head.id + 1 + n % 2))
            [left] = await events.claim()
            assert left.payload["n"] == n + 2 - n % 2
            await queue.complete(events.link, [left])
    assert await events.sql("SELECT count(*) FROM queued_events") == [(0,)]
