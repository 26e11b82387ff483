from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import psycopg
import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import Event
from athenaeum.domain.identity import EventId
from athenaeum.errors import Discard, LeaseLost, Misconfigured, Refused, RetryLater
from athenaeum.events import queue
from athenaeum.worker.pool import WorkerPool
from athenaeum.worker.rescue import rescue
from support.events import NOTHING, Queue, listening, until

SHORT = timedelta(milliseconds=400)


async def _completed(events: Queue, count: int) -> None:
    async def done() -> bool:
        return (await events.stats())["completed"] == count

    await until(done)


async def _idle(events: Queue, pool: WorkerPool) -> None:
    """Until nothing waits or runs, and the pool has counted it."""

    async def idle() -> bool:
        stats = await events.stats()
        seen = pool.get_stats()
        return stats["pending"] + stats["processing"] == 0 and seen["workers_busy"] == 0

    await until(idle)


class Hold:
    """An async handler that waits to be let go."""

    def __init__(self) -> None:
        self.begun: list[Event] = []
        self.cancelled: list[EventId] = []
        self.go = asyncio.Event()

    async def __call__(self, event: Event) -> None:
        self.begun.append(event)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(event.id)
            raise


async def test_what_is_enqueued_is_processed_by_an_async_function(events: Queue) -> None:
    seen: list[int] = []

    async def handle(event: Event) -> None:
        seen.append(event.payload["n"])

    async with WorkerPool(3, events.database, handle) as pool:
        for n in range(20):
            await events.put(n)
        await _completed(events, 20)
        await until(lambda: pool.get_stats()["total_events_processed"] == 20)
    assert sorted(seen) == list(range(20))


async def test_what_is_enqueued_is_processed_by_a_plain_function(events: Queue) -> None:
    seen: list[int] = []
    for n in range(5):
        await events.put(n)

    def handle(event: Event) -> None:
        seen.append(event.payload["n"])

    async with WorkerPool(2, events.database, handle):
        await _completed(events, 5)
    assert sorted(seen) == list(range(5))


async def test_a_hundred_events_at_once_never_run_more_than_the_size_at_a_time(events: Queue) -> None:
    running = most = 0

    async def handle(_: Event) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1

    for n in range(100):
        await events.put(n)
    async with WorkerPool(7, events.database, handle):
        await _completed(events, 100)
    assert most == 7


async def test_work_that_falls_due_is_begun_without_waiting_for_the_poll(events: Queue) -> None:
    hold = Hold()
    async with WorkerPool(1, events.database, hold):
        await listening(events)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await events.put(delay=timedelta(seconds=0.3))
        await until(lambda: bool(hold.begun))
        assert loop.time() - began < 3, "the slow poll takes 4 s at least"
        hold.go.set()


@pytest.mark.parametrize(
    ("error", "status", "counter"),
    [
        (ValueError("x"), "pending", "total_retries"),
        (RetryLater("x", after=timedelta(hours=1)), "pending", "total_retries"),
        (Refused("x"), "failed", "total_events_failed"),
        (Discard("x"), "completed", "total_events_processed"),
        (LeaseLost("x"), "processing", "leases_lost"),
    ],
)
async def test_what_a_handler_raises_decides(events: Queue, error: Exception, status: str, counter: str) -> None:
    async def handle(_: Event) -> None:
        raise error

    event_id = await events.put()
    async with WorkerPool(1, events.database, handle) as pool:
        await until(lambda: dict(pool.get_stats())[counter] == 1)
        record = await events.show(event_id)
    assert record.status == status
    if status in {"pending", "failed"}:
        assert record.error_message == f"{type(error).__name__}: x"


async def test_an_event_is_tried_again_until_its_retries_are_used_up_and_then_kept(events: Queue) -> None:
    attempts: list[int] = []

    async def handle(event: Event) -> None:
        attempts.append(event.attempt)
        raise RetryLater("not yet", after=timedelta(milliseconds=10))

    event_id = await events.put()
    async with WorkerPool(2, events.database, handle, max_retries=3) as pool:
        await until(lambda: pool.get_stats()["total_events_failed"] == 1)
    record = await events.show(event_id)
    assert (attempts, record.status, record.retry_count) == ([1, 2, 3, 4], "failed", 3)
    assert record.error_message == "RetryLater: not yet"


async def test_a_handler_that_cancels_itself_is_tried_again(events: Queue) -> None:
    async def handle(_: Event) -> None:
        raise asyncio.CancelledError

    await events.put()
    async with WorkerPool(1, events.database, handle) as pool:
        await until(lambda: pool.get_stats()["total_retries"] == 1)
    assert (await events.stats())["pending"] == 1


async def test_events_of_one_key_run_in_order_although_there_is_room_for_all(events: Queue) -> None:
    seen: list[int] = []

    async def handle(event: Event) -> None:
        await asyncio.sleep(0.001 * (10 - event.payload["n"]))
        seen.append(event.payload["n"])

    for n in range(10):
        await events.put(n, ordering_key="thread")
    async with WorkerPool(10, events.database, handle):
        await _completed(events, 10)
    assert seen == list(range(10))


async def test_a_lost_lease_cancels_its_handler_and_no_other(events: Queue) -> None:
    hold = Hold()
    async with WorkerPool(2, events.database, hold, visibility_timeout=SHORT) as pool:
        stolen, kept = await events.put(0), await events.put(1)
        await until(lambda: len(hold.begun) == 2)
        await events.sql("UPDATE queued_events SET lease_token = 0 WHERE event_id = %s RETURNING 1", stolen)
        try:
            await until(lambda: hold.cancelled == [stolen], seconds=10)
        finally:
            hold.go.set()  # the pool does not end before its handlers
        assert pool.get_stats()["leases_lost"] == 1
        await until(lambda: pool.get_stats()["total_events_processed"] == 1)
    assert (await events.show(kept)).status == "completed"
    assert (await events.show(stolen)).status == "processing"


@pytest.mark.parametrize("plain", [True, False])
async def test_a_hung_handler_keeps_its_lease_and_holds_up_nobody_else(events: Queue, plain: bool) -> None:
    hung, go = threading.Event(), threading.Event()

    def hang(event: Event) -> None:
        if event.payload["n"] == 0:
            hung.set()
            go.wait()

    async def hang_async(event: Event) -> None:
        if event.payload["n"] == 0:
            hung.set()
            await asyncio.to_thread(go.wait)

    event_id = await events.put(0)
    async with WorkerPool(2, events.database, hang if plain else hang_async, visibility_timeout=SHORT) as pool:
        await until(hung.is_set)
        for n in range(1, 4):
            await events.put(n)
        await _completed(events, 3)
        first = (await events.show(event_id)).visibility_timeout
        assert first is not None

        async def extended_beyond_a_whole_lease() -> bool:
            now = (await events.show(event_id)).visibility_timeout
            return now is not None and now - first > 2 * SHORT

        await until(extended_beyond_a_whole_lease)
        assert pool.get_stats()["leases_lost"] == 0
        go.set()
        await _completed(events, 4)


async def test_stopping_lets_work_finish(events: Queue) -> None:
    hold = Hold()
    event_id = await events.put()
    pool = WorkerPool(1, events.database, hold)
    await pool.start()
    await until(lambda: bool(hold.begun))
    stopping = asyncio.create_task(pool.stop())
    await asyncio.sleep(0)
    hold.go.set()
    await stopping
    assert (await events.show(event_id)).status == "completed"
    assert pool.get_stats()["total_events_processed"] == 1
    assert pool.get_stats()["workers_running"] == 0


async def test_what_does_not_finish_in_time_is_handed_back_uncounted(events: Queue) -> None:
    hold = Hold()
    event_id = await events.put()
    async with WorkerPool(1, events.database, hold, drain_time=NOTHING):
        await until(lambda: bool(hold.begun))
    assert hold.cancelled == [event_id]
    again = await events.claim_one()
    assert (again.id, again.attempt) == (event_id, 1)


async def test_another_pool_goes_on_with_what_was_handed_back(events: Queue) -> None:
    hold, other = Hold(), Hold()
    other.go.set()
    event_id = await events.put()
    async with WorkerPool(1, events.database, hold, drain_time=NOTHING) as first:
        await until(lambda: bool(hold.begun))
        async with DatabaseConnection(events.database.url) as elsewhere, WorkerPool(1, elsewhere, other):
            await listening(events, 2)
            await first.stop()
            await until(lambda: [event.id for event in other.begun] == [event_id], seconds=3)
            await _completed(events, 1)


async def test_nothing_is_claimed_after_stop(events: Queue) -> None:
    pool = WorkerPool(1, events.database, Hold())
    await pool.start()
    await pool.stop()
    await events.put()
    assert len(await events.claim()) == 1


async def test_stop_may_be_called_twice_and_before_start(events: Queue) -> None:
    pool = WorkerPool(1, events.database, Hold())
    await pool.stop()
    await pool.start()
    await asyncio.gather(pool.stop(), pool.stop())
    await pool.stop()


async def test_the_leases_of_a_pool_that_died_are_rescued_by_any_other(events: Queue) -> None:
    event_id = await events.put()
    await events.claim_one(lease=NOTHING)
    hold = Hold()
    hold.go.set()
    async with WorkerPool(1, events.database, hold):
        await _completed(events, 1)
    assert [(event.id, event.attempt) for event in hold.begun] == [(event_id, 2)]


async def test_what_was_claimed_without_hearing_of_it_is_handed_back(events: Queue) -> None:
    known, unknown = await events.put(0), await events.put(1)
    await events.claim(worker="me")
    await queue.release_unknown(events.link, "me", [known])
    assert [event.id for event in await events.claim()] == [unknown]


async def test_a_pool_hands_back_what_it_claimed_when_the_reply_is_lost(events: Queue) -> None:
    hold = Hold()
    hold.go.set()
    pool = WorkerPool(1, events.database, hold)
    unheard = await events.put(0)
    async with Queue(events.database) as lost:
        await lost.claim(worker=pool._worker)  # of which the pool never hears
    with psycopg.connect(events.database.url, autocommit=True) as owner:
        async with pool:
            await until(lambda: owner.execute(_CUT_OFF).fetchone() != (0,))
            await events.put(1)
            await until(lambda: len(hold.begun) == 2, seconds=10)
    assert [event.attempt for event in hold.begun if event.id == unheard] == [1]


_CUT_OFF = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND query LIKE '%events_claim(%' AND pid <> pg_backend_pid()
"""


async def test_an_event_whose_workers_all_died_is_handed_out_once_more_to_be_given_up(events: Queue) -> None:
    event_id = await events.put()
    for _ in range(3):
        await events.claim_one(lease=NOTHING)
        await rescue(events.database, max_retries=2)
    assert (await events.claim_one(lease=NOTHING)).attempt == 4
    await rescue(events.database, max_retries=2)
    assert (await events.show(event_id)).status == "failed"


async def test_a_pool_is_healthy_while_it_runs_and_the_database_answers(events: Queue) -> None:
    pool = WorkerPool(1, events.database, Hold())
    assert not await pool.health_check()
    async with pool:
        assert await pool.health_check()
    assert (await pool.health_check()).problems == ("the worker pool is not running",)


async def test_a_pool_without_a_database_waits_says_so_and_stops_when_told() -> None:
    async with DatabaseConnection("postgresql://nobody@127.0.0.1:9/none") as database:
        async with WorkerPool(1, database, Hold()) as pool:
            assert (await pool.health_check()).problems == ("the database does not answer",)
        assert pool.get_stats()["total_events_processed"] == 0


async def test_a_pool_of_nobody_is_refused(events: Queue) -> None:
    with pytest.raises(Misconfigured, match="WORKER_POOL_SIZE"):
        WorkerPool(0, events.database, Hold())


async def test_stats_tell_how_busy_the_workers_are(events: Queue) -> None:
    hold = Hold()
    async with WorkerPool(2, events.database, hold) as pool:
        assert pool.get_stats()["workers_running"] == 2
        for n in range(3):
            await events.put(n)
        await until(lambda: pool.get_stats()["workers_busy"] == 2)
        hold.go.set()
        await _idle(events, pool)
        stats = pool.get_stats()
        assert 0 < stats["utilisation"] <= 1
        assert stats["uptime_seconds"] > 0


async def test_a_pool_for_some_kinds_leaves_the_others_to_others(events: Queue) -> None:
    seen: list[str] = []
    other = await events.put(1, kind="other")
    await events.put(2, kind="mine")

    async with WorkerPool(2, events.database, lambda event: seen.append(event.kind), kinds=["mine"]):
        await _completed(events, 1)

    assert seen == ["mine"]
    record = await events.show(other)
    assert (record.status.value, record.retry_count) == ("pending", 0)
