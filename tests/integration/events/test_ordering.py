from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import psycopg
import pytest

from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, EventId
from athenaeum.events import enqueue, queue
from support.bouncer import BOTH_DOORS
from support.events import NOTHING, Queue, waits_for_a_lock

pytestmark = BOTH_DOORS


async def test_one_event_of_a_key_runs_at_a_time_in_order_of_arrival(events: Queue) -> None:
    for n in range(3):
        await events.put(n, ordering_key="thread")
    for n in range(3):
        [event] = await events.claim()
        assert event.payload["n"] == n
        await queue.complete(events.link, [event])
    assert await events.claim() == []


async def test_events_of_different_keys_and_without_a_key_run_side_by_side(events: Queue) -> None:
    await events.put(0, ordering_key="a")
    await events.put(1, ordering_key="b")
    await events.put(2)
    await events.put(3)
    assert len(await events.claim()) == 4


async def test_a_retried_head_keeps_the_others_of_its_key_waiting(events: Queue) -> None:
    await events.put(0, ordering_key="a")
    await events.put(1, ordering_key="a")
    await queue.retry(events.link, await events.claim_one(), "later", after=timedelta(hours=1))
    assert await events.claim() == []


async def test_a_failed_head_frees_its_key(events: Queue) -> None:
    await events.put(0, ordering_key="a")
    await events.put(1, ordering_key="a")
    await queue.fail(events.link, await events.claim_one(), "dead")
    assert (await events.claim_one()).payload["n"] == 1


async def test_a_batch_of_heads_wakes_the_next_of_each_key(events: Queue) -> None:
    for n in range(6):
        await events.put(n, ordering_key=f"key-{n % 3}")
    await queue.complete(events.link, await events.claim())
    assert {event.payload["n"] for event in await events.claim()} == {3, 4, 5}


async def test_the_database_refuses_two_runnable_events_of_one_key(events: Queue) -> None:
    await events.put(0, ordering_key="a")
    await events.put(1, ordering_key="a")
    with pytest.raises(psycopg.errors.UniqueViolation):
        await events.sql("UPDATE queued_events SET state = 'ready' RETURNING 1")


async def test_no_wake_up_is_lost_when_the_head_leaves_while_its_follower_arrives(events: Queue) -> None:
    await events.put(0, ordering_key="a")
    head = await events.claim_one()
    async with events.database.session(DEFAULT_TENANT) as session:
        await enqueue(session, NewEvent("test", {"n": 1}, DEFAULT_TENANT, ordering_key="a"))
        completing = asyncio.create_task(queue.complete(events.link, [head]))
        await waits_for_a_lock(events, completing)
    assert (await completing).done == {head.id}
    assert (await events.claim_one()).payload["n"] == 1


async def test_a_follower_that_arrives_while_the_head_leaves_becomes_the_head(events: Queue) -> None:
    await events.put(0, ordering_key="a")
    head = await events.claim_one()
    async with events.database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("SELECT events_complete_one(%s, %s)", (head.id, head.token))
        putting = asyncio.create_task(events.put(1, ordering_key="a"))
        await waits_for_a_lock(events, putting)
    await putting
    assert (await events.claim_one()).payload["n"] == 1


async def test_of_two_that_arrive_at_a_free_key_at_the_same_time_one_waits(events: Queue) -> None:
    async with events.database.session(DEFAULT_TENANT) as session:
        await enqueue(session, NewEvent("test", {"n": 0}, DEFAULT_TENANT, ordering_key="a"))
        putting = asyncio.create_task(events.put(1, ordering_key="a"))
        await waits_for_a_lock(events, putting)
    await putting
    assert [event.payload["n"] for event in await events.claim()] == [0]


async def test_a_batch_of_completions_cannot_deadlock_with_who_enqueues_to_two_of_its_keys(events: Queue) -> None:
    await events.put(0, ordering_key="b")
    await events.put(1, ordering_key="a")
    heads = await events.claim()
    async with events.database.session(DEFAULT_TENANT) as session:
        await enqueue(session, NewEvent("test", {"n": 2}, DEFAULT_TENANT, ordering_key="a"))
        completing = asyncio.create_task(queue.complete(events.link, heads))
        await waits_for_a_lock(events, completing)
        # a completer that held b while it waited for a would be waited for here, and never let go
        await enqueue(session, NewEvent("test", {"n": 3}, DEFAULT_TENANT, ordering_key="b"))
    assert (await completing).done == {event.id for event in heads}
    assert {event.payload["n"] for event in await events.claim()} == {2, 3}


class Storm:
    """Workers that complete in batches, retry and release by chance; notes what runs when."""

    def __init__(self, events: Queue, seed: int, total: int) -> None:
        self.events = events
        self.total = total
        self.done: list[EventId] = []
        self._chance = random.Random(seed)
        self._running: set[str] = set()

    async def produce(self, numbers: range) -> None:
        for n in numbers:
            await self.events.put(n, ordering_key=_key(n))

    async def work(self) -> None:
        async with Queue(self.events.database) as mine:
            while len(self.done) < self.total:
                claims = await mine.claim(self._chance.randint(1, 4))
                for event in claims:
                    key = _key(event.payload["n"])
                    assert key not in self._running, f"two events of {key} run at once"
                    self._running.add(key)
                await asyncio.sleep(self._chance.random() / 200)
                self._running -= {_key(event.payload["n"]) for event in claims}
                await self._end(mine, claims)

    async def _end(self, mine: Queue, claims: list[Event]) -> None:
        fate = self._chance.random()
        if fate < 0.15:
            await queue.release(mine.link, claims)
        elif fate < 0.3:
            for event in claims:
                await queue.retry(mine.link, event, "again", after=NOTHING)
        else:
            # noted first: once completed, the next of the key may be claimed, run and noted by another worker
            self.done += [event.id for event in claims]
            assert (await queue.complete(mine.link, claims)).done == {event.id for event in claims}


def _key(n: int) -> str:
    return f"key-{n % 4}"


@pytest.mark.parametrize("seed", range(4))
async def test_under_concurrency_every_event_runs_once_alone_in_its_key_and_none_is_stranded(
    events: Queue, seed: int
) -> None:
    total = 120
    storm = Storm(events, seed, total)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for start in range(4):
            group.create_task(storm.produce(range(start, total, 4)))
        for _ in range(4):
            group.create_task(storm.work())
    assert await events.stats() == {"pending": 0, "processing": 0, "completed": total, "failed": 0}
    assert len(set(storm.done)) == total
    numbers = dict(await events.sql("SELECT event_id, payload ->> 'n' FROM finished_events"))
    for key in range(4):
        of_key = [event_id for event_id in storm.done if int(numbers[event_id]) % 4 == key]
        assert of_key == sorted(of_key), "out of order"


async def test_many_enqueuers_and_completers_of_one_key_meet_no_deadlock(events: Queue) -> None:
    before = await events.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")

    async def produce() -> None:
        async with events.database.session(DEFAULT_TENANT) as session:
            for key in random.sample("abcdef", 3):
                await enqueue(session, NewEvent("test", {}, DEFAULT_TENANT, ordering_key=f"{key}{random.random()}"))
            await enqueue(session, NewEvent("test", {}, DEFAULT_TENANT, ordering_key="hot"))

    finished = 0

    async def work() -> None:
        nonlocal finished
        async with Queue(events.database) as mine:
            while finished < 160:
                done = (await queue.complete(mine.link, await mine.claim(5))).done
                finished += len(done)
                await asyncio.sleep(0)

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(work())
        for _ in range(40):
            group.create_task(produce())
    assert (await events.stats())["completed"] == 160
    await events.sql("SELECT pg_stat_clear_snapshot()")
    assert await events.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == before
