from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from athenaeum.database.link import Link
from athenaeum.domain.event import Event
from athenaeum.events import queue
from support.bouncer import BOTH_DOORS
from support.events import NOTHING, Queue, waits_for_a_lock

pytestmark = BOTH_DOORS

RESCUE = "SELECT count(*) FILTER (WHERE NOT failed), count(*) FILTER (WHERE failed) FROM events_rescue(%s)"
SECOND = timedelta(seconds=1)


async def test_an_event_is_claimed_once_and_completed_once(events: Queue) -> None:
    event_id = await events.put(7)
    event = await events.claim_one()
    assert (event.id, event.kind, event.payload, event.attempt) == (event_id, "test", {"n": 7}, 1)
    assert await events.claim() == []
    assert (await queue.complete(events.link, [event])).done == {event_id}
    assert await events.claim() == []
    assert await events.stats() == {"pending": 0, "processing": 0, "completed": 1, "failed": 0}


async def test_finished_work_leaves_the_hot_table(events: Queue) -> None:
    await events.put(dedupe_key="a", ordering_key="k")
    await queue.complete(events.link, await events.claim())
    assert await events.sql("SELECT count(*) FROM queued_events") == [(0,)]
    assert await events.sql("SELECT dedupe_key, ordering_key, attempt FROM finished_events") == [("a", "k", 1)]


async def test_a_claim_takes_no_more_than_its_limit(events: Queue) -> None:
    for n in range(5):
        await events.put(n)
    assert [event.payload["n"] for event in await events.claim(3)] == [0, 1, 2]
    assert [event.payload["n"] for event in await events.claim(3)] == [3, 4]


async def test_claims_at_the_same_time_share_no_event(events: Queue) -> None:
    ids = [await events.put(n) for n in range(3)]
    async with events.database.session() as session:
        connection = await session.connection()
        mine = await connection.exec_driver_sql("SELECT event_id FROM events_claim('me', 2, '1 minute', NULL)")
        taken = mine.scalars().all()
        claiming = asyncio.create_task(events.claim())  # while the claim before is not committed yet
        await waits_for_a_lock(events, claiming)
    assert sorted([*taken, *(event.id for event in await claiming)]) == ids


async def test_higher_priority_goes_first_and_equal_priority_by_age(events: Queue) -> None:
    for n, priority in enumerate([0, 5, 0, 5]):
        await events.put(n, priority=priority)
    assert [(await events.claim_one()).payload["n"] for _ in range(4)] == [1, 3, 0, 2]


async def test_a_delayed_event_waits(events: Queue) -> None:
    event_id = await events.put(delay=timedelta(hours=1))
    assert await events.claim() == []
    await events.sql("UPDATE queued_events SET ready_at = ready_at - interval '1 hour' RETURNING 1")
    assert (await events.claim_one()).id == event_id


async def test_tokens_grow_with_every_claim_whichever_connection_makes_it(events: Queue) -> None:
    tokens: list[int] = []
    async with Link(events.database) as other:
        for n in range(6):
            await events.put(n)
            [event] = await queue.claim((events.link, other)[n % 2], "w", limit=1, lease=SECOND)
            tokens.append(event.token)
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("write", ["complete", "retry", "fail", "release", "extend"])
async def test_a_stale_token_changes_nothing_and_is_told_so(events: Queue, write: str) -> None:
    await events.put()
    stale = await events.claim_one(lease=NOTHING)
    await events.sql(RESCUE, 9)
    newer = await events.claim_one()
    assert (newer.id, newer.attempt) == (stale.id, 2)
    before = await events.sql("SELECT * FROM queued_events")
    written = await _write(events.link, write, stale)
    assert not (written.done if isinstance(written, queue.Completion) else written)
    assert await events.sql("SELECT * FROM queued_events") == before
    assert (await queue.complete(events.link, [newer])).done == {newer.id}


@pytest.mark.parametrize("write", ["retry", "fail", "release", "extend"])
async def test_a_finished_event_cannot_be_written_to(events: Queue, write: str) -> None:
    await events.put()
    event = await events.claim_one()
    await queue.complete(events.link, [event])
    assert not await _write(events.link, write, event)
    assert (await events.stats())["completed"] == 1


async def _write(link: Link, write: str, event: Event) -> object:
    match write:
        case "complete":
            return await queue.complete(link, [event])
        case "retry":
            return await queue.retry(link, event, "late", after=NOTHING)
        case "fail":
            return await queue.fail(link, event, "late")
        case "release":
            return await queue.release(link, [event])
        case _:
            return await queue.extend(link, [event], lease=SECOND)


async def test_completing_again_after_a_lost_reply_is_not_a_lost_lease(events: Queue) -> None:
    await events.put()
    event = await events.claim_one()
    await queue.complete(events.link, [event])
    assert (await queue.complete(events.link, [event])).done == {event.id}
    assert (await events.stats())["completed"] == 1


async def test_an_event_whose_lease_ran_out_is_claimed_again(events: Queue) -> None:
    event_id = await events.put()
    await events.claim_one(lease=NOTHING)
    assert await events.sql(RESCUE, 9) == [(1, 0)]
    assert (await events.claim_one()).id == event_id


async def test_a_live_lease_is_left_alone(events: Queue) -> None:
    await events.put()
    await events.claim_one()
    assert await events.sql(RESCUE, 9) == [(0, 0)]


async def test_a_heartbeat_keeps_a_lease(events: Queue) -> None:
    await events.put()
    event = await events.claim_one(lease=NOTHING)
    assert await queue.extend(events.link, [event], lease=timedelta(minutes=1)) == {event.id}
    assert await events.sql(RESCUE, 9) == [(0, 0)]


async def test_an_event_that_kills_every_worker_fails_in_the_end(events: Queue) -> None:
    event_id = await events.put()
    for _ in range(2):
        assert await events.sql(RESCUE, 3) == [(0, 0)]
        await events.claim_one(lease=NOTHING)
        await events.sql(RESCUE, 3)
    await events.claim_one(lease=NOTHING)
    assert await events.sql(RESCUE, 3) == [(0, 1)]
    record = await events.show(event_id)
    assert (record.status, record.retry_count) == ("failed", 2)
    assert "lease ran out 3 times" in (record.error_message or "")


async def test_a_retried_event_waits_and_keeps_its_error(events: Queue) -> None:
    event_id = await events.put()
    assert await queue.retry(events.link, await events.claim_one(), "no luck", after=timedelta(hours=1))
    assert await events.claim() == []
    record = await events.show(event_id)
    assert (record.status, record.error_message) == ("pending", "no luck")


async def test_a_released_event_is_due_at_once_and_its_attempt_not_counted(events: Queue) -> None:
    await events.put()
    event = await events.claim_one()
    assert await queue.release(events.link, [event]) == {event.id}
    again = await events.claim_one()
    assert (again.attempt, again.token > event.token) == (1, True)


async def test_a_failed_event_is_kept_with_its_error(events: Queue) -> None:
    event_id = await events.put(3)
    assert await queue.fail(events.link, await events.claim_one(), "Refused: no")
    record = await events.show(event_id)
    assert (record.status, record.error_message, record.payload) == ("failed", "Refused: no", {"n": 3})
    assert record.processed_at is not None
