from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.errors import Refused
from athenaeum.events import queue
from athenaeum.events.schedules import Schedule, list_schedules, schedule, tick, unschedule
from athenaeum.worker.pool import WorkerPool
from support.events import Queue, until

OTHER = TenantId(UUID(int=2))
HOUR = timedelta(hours=1)
SWEEP = Schedule("sweep", "test", {"n": 1}, DEFAULT_TENANT, every=HOUR)


async def plan(events: Queue, wanted: Schedule = SWEEP) -> None:
    async with events.database.session() as session:
        await schedule(session, wanted)


async def look(events: Queue) -> int:
    async with events.database.session() as session:
        return await tick(session)


async def planned(events: Queue) -> Schedule:
    async with events.database.session() as session:
        [found] = await list_schedules(session)
    return found


async def let_pass(events: Queue, time: timedelta) -> None:
    await events.sql("UPDATE event_schedules SET next_at = next_at - %s::interval RETURNING 1", time)


async def test_nothing_is_enqueued_before_the_first_moment(events: Queue) -> None:
    await plan(events)
    assert (await look(events), await events.claim()) == (0, [])


async def test_each_moment_is_enqueued_once_whoever_looks(events: Queue) -> None:
    await plan(events)
    for n in range(1, 4):
        await let_pass(events, HOUR)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(look(events)) for _ in range(8)]
        assert sum(task.result() for task in tasks) == 1, f"at moment {n}"
        [event] = await events.claim()
        assert (event.kind, event.payload, event.tenant) == ("test", {"n": 1}, DEFAULT_TENANT)
        await queue.complete(events.link, [event])


async def test_moments_that_nobody_saw_count_as_one_and_the_rhythm_is_kept(events: Queue) -> None:
    await plan(events)
    before = (await planned(events)).next_at
    await let_pass(events, HOUR * 5.5)
    assert (await look(events), await look(events)) == (1, 0)
    after = (await planned(events)).next_at
    assert before is not None
    assert after is not None
    assert datetime.now(UTC) < after < datetime.now(UTC) + HOUR
    assert (after - (before - HOUR * 5.5)) % HOUR == timedelta(0)


async def test_no_second_event_is_enqueued_while_the_first_still_waits(events: Queue) -> None:
    await plan(events)
    for enqueued in (1, 0, 0):
        await let_pass(events, HOUR)
        assert await look(events) == enqueued
    assert len(await events.claim()) == 1


async def test_while_an_event_runs_the_next_waits_behind_it(events: Queue) -> None:
    await plan(events)
    await let_pass(events, HOUR)
    await look(events)
    running = await events.claim()
    await let_pass(events, HOUR)
    assert (await look(events), await events.claim()) == (1, [])
    await queue.complete(events.link, running)
    assert len(await events.claim()) == 1


async def test_setting_the_same_schedule_again_does_not_move_it(events: Queue) -> None:
    await plan(events)
    await let_pass(events, HOUR / 2)
    before = await planned(events)
    await plan(events, Schedule("sweep", "other", {"n": 2}, DEFAULT_TENANT, every=HOUR, priority=3))
    after = await planned(events)
    assert after == Schedule("sweep", "other", {"n": 2}, DEFAULT_TENANT, HOUR, 3, before.next_at)


async def test_another_period_counts_from_now_on(events: Queue) -> None:
    await plan(events)
    await plan(events, Schedule("sweep", "test", {}, DEFAULT_TENANT, every=HOUR * 9))
    found = (await planned(events)).next_at
    assert found is not None
    assert HOUR * 8 < found - datetime.now(UTC) < HOUR * 10


async def test_the_first_moment_may_be_given(events: Queue) -> None:
    first = datetime.now(UTC) - timedelta(minutes=1)
    await plan(events, Schedule("sweep", "test", {}, DEFAULT_TENANT, every=HOUR, next_at=first))
    assert await look(events) == 1
    assert (await planned(events)).next_at == first + HOUR


async def test_a_removed_schedule_enqueues_no_more(events: Queue) -> None:
    await plan(events)
    async with events.database.session() as session:
        assert await unschedule(session, DEFAULT_TENANT, "sweep")
        assert not await unschedule(session, DEFAULT_TENANT, "sweep")
        assert await list_schedules(session) == []
    assert await look(events) == 0


async def test_tenants_have_schedules_of_their_own(events: Queue) -> None:
    await plan(events)
    await plan(events, Schedule("sweep", "test", {}, OTHER, every=HOUR))
    async with events.database.session(OTHER) as session:
        assert [found.tenant for found in await list_schedules(session)] == [OTHER]
        assert not await unschedule(session, DEFAULT_TENANT, "sweep")


async def test_a_period_below_a_second_is_refused(events: Queue) -> None:
    with pytest.raises(Refused, match="a second at least"):
        await plan(events, Schedule("hasty", "test", {}, DEFAULT_TENANT, every=timedelta(milliseconds=500)))


async def test_a_pool_works_on_what_falls_due(events: Queue) -> None:
    done: list[Event] = []
    await plan(events, Schedule("soon", "test", {"n": 3}, DEFAULT_TENANT, every=timedelta(seconds=1)))
    async with WorkerPool(1, events.database, done.append):
        await until(lambda: len(done) >= 2)
    assert {event.payload["n"] for event in done} == {3}
