from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.errors import Refused
from athenaeum.events import admin, queue
from athenaeum.events.limits import Limit, limit, list_limits, unlimit
from support.events import MINUTE, NOTHING, Queue, waits_for_a_lock

OTHER = TenantId(UUID(int=2))
TENANTS = (DEFAULT_TENANT, OTHER)
RUNNING = """
    SELECT count(*) FILTER (WHERE kind = 'a'), count(*) FILTER (WHERE tenant_id = %s),
           count(*) FILTER (WHERE kind = 'b' AND tenant_id = %s)
    FROM queued_events WHERE state = 'running'"""


async def set_limit(events: Queue, at_most: int, *, kind: str | None = None, tenant: TenantId | None = None) -> None:
    async with events.database.session() as session:
        await limit(session, at_most, kind=kind, tenant=tenant)


async def test_limits_hold_under_many_claimers_and_nothing_is_left_behind(events: Queue) -> None:
    await set_limit(events, 3, kind="a")
    await set_limit(events, 4, tenant=OTHER)
    await set_limit(events, 1, kind="b", tenant=DEFAULT_TENANT)
    total = 120
    for n in range(total):
        await events.put(n, tenant=TENANTS[n % 2], kind="ab"[n // 2 % 2])
    done = 0
    most = [0, 0, 0]

    async def work() -> None:
        nonlocal done
        async with Queue(events.database) as mine:
            while done < total:
                claimed = await mine.claim(3)
                [row] = await mine.sql(RUNNING, OTHER, DEFAULT_TENANT)
                most[:] = map(max, most, row)
                completion = await queue.complete(mine.link, claimed)
                done += len(completion.done)

    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(work())
    assert most == [3, 4, 1]  # reached, so that the test would see more, and never passed
    assert (await events.stats())["completed"] == total


async def end(events: Queue, event: Event, how: str) -> None:
    match how:
        case "complete":
            await queue.complete(events.link, [event])
        case "fail":
            await queue.fail(events.link, event, "no")
        case "retry":
            await queue.retry(events.link, event, "no", after=timedelta(hours=1))
        case "cancel":
            async with events.database.session() as session:
                await admin.cancel(session, event.id)
        case "release":
            await queue.release(events.link, [event])
        case _:
            await events.sql("SELECT count(*) FROM events_rescue(9)")


@pytest.mark.parametrize("how", ["complete", "fail", "retry", "cancel", "release", "rescue"])
async def test_an_event_that_runs_no_longer_makes_room(events: Queue, how: str) -> None:
    await set_limit(events, 1, kind="test")
    for n in range(3):
        await events.put(n)
    [event] = await events.claim(lease=NOTHING)
    assert await events.claim() == []
    await end(events, event, how)
    assert len(await events.claim()) == 1


async def test_a_limit_of_none_pauses_a_kind_until_it_is_removed(events: Queue) -> None:
    await set_limit(events, 0, kind="paused")
    await events.put(0, kind="paused")
    await events.put(1)
    assert [event.payload["n"] for event in await events.claim()] == [1]
    async with events.database.session() as session:
        assert await unlimit(session, kind="paused")
    assert [event.payload["n"] for event in await events.claim()] == [0]


async def test_of_several_limits_the_lowest_holds(events: Queue) -> None:
    await set_limit(events, 9)
    await set_limit(events, 2, kind="test")
    await set_limit(events, 5, tenant=DEFAULT_TENANT)
    for n in range(9):
        await events.put(n)
    assert len(await events.claim()) == 2


async def test_who_is_not_limited_is_claimed_in_any_number(events: Queue) -> None:
    await set_limit(events, 1, kind="slow")
    for n in range(9):
        await events.put(n, kind=("slow", "fast")[n % 2])
    assert sorted(event.kind for event in await events.claim()) == ["fast"] * 4 + ["slow"]


async def test_a_limit_set_again_replaces_itself_and_is_listed_with_what_runs(events: Queue) -> None:
    await set_limit(events, 5, kind="test")
    await set_limit(events, 2, kind="test")
    await set_limit(events, 7, tenant=OTHER)
    for n in range(3):
        await events.put(n)
    await events.claim()
    async with events.database.session() as session:
        assert await list_limits(session) == [Limit(None, OTHER, 7, 0), Limit("test", None, 2, 2)]
        assert await unlimit(session, tenant=OTHER)
        assert not await unlimit(session, tenant=OTHER)


async def test_a_limit_below_nothing_is_refused(events: Queue) -> None:
    with pytest.raises(Refused, match="0 or more"):
        await set_limit(events, -1)


async def test_a_tenant_may_not_lift_its_limits(events: Queue) -> None:
    await set_limit(events, 1, tenant=OTHER)
    with pytest.raises(Exception, match="permission denied"):
        async with events.database.session(OTHER) as session:
            await unlimit(session, tenant=OTHER)


async def test_one_event_is_claimed_by_its_number_when_it_may_run(events: Queue) -> None:
    event_id = await events.put(7)
    claimed = await queue.claim_one(events.link, "me", event_id, lease=MINUTE)
    assert claimed is not None
    assert (claimed.id, claimed.payload, claimed.attempt) == (event_id, {"n": 7}, 1)
    assert await queue.claim_one(events.link, "you", event_id, lease=MINUTE) is None


async def test_one_event_is_not_claimed_before_it_is_due_or_before_its_turn(events: Queue) -> None:
    delayed = await events.put(delay=timedelta(hours=1))
    await events.put(ordering_key="a")
    blocked = await events.put(ordering_key="a")
    for event_id in (delayed, blocked):
        assert await queue.claim_one(events.link, "me", event_id, lease=MINUTE) is None


async def test_one_event_that_fell_due_is_claimed_although_nobody_looked(events: Queue) -> None:
    event_id = await events.put(delay=timedelta(hours=1))
    await events.sql("UPDATE queued_events SET ready_at = clock_timestamp() RETURNING 1")
    assert await queue.claim_one(events.link, "me", event_id, lease=MINUTE) is not None


async def test_of_two_that_are_claimed_at_the_same_time_a_limit_lets_one_run(events: Queue) -> None:
    await set_limit(events, 1, kind="test")
    first, second = await events.put(1), await events.put(2)
    async with await psycopg.AsyncConnection.connect(events.database.url) as holder:
        await holder.execute("SELECT events_claim_one('you', %s, '1 minute')", [first])
        claiming = asyncio.create_task(queue.claim_one(events.link, "me", second, lease=MINUTE))
        await waits_for_a_lock(events, claiming)
    assert await claiming is None


async def test_one_event_that_another_holds_is_not_waited_for(events: Queue) -> None:
    event_id = await events.put()
    async with await psycopg.AsyncConnection.connect(events.database.url) as holder:
        await holder.execute("SELECT FROM queued_events FOR UPDATE")
        async with asyncio.timeout(10):
            assert await queue.claim_one(events.link, "me", event_id, lease=MINUTE) is None
