from __future__ import annotations

import pytest

from athenaeum.domain.event import EventStatus
from athenaeum.domain.identity import EventId
from athenaeum.events import admin, queue
from support.events import Queue


async def _failed(events: Queue, n: int = 0, *, ordering_key: str | None = None) -> EventId:
    event_id = await events.put(n, ordering_key=ordering_key)
    await queue.fail(events.link, await events.claim_one(), "dead")
    return event_id


async def test_the_list_shows_the_latest_of_a_status(events: Queue) -> None:
    first, second = await _failed(events, 0), await _failed(events, 1)
    await events.put(2)
    async with events.database.session() as session:
        failed = await admin.list_events(session, EventStatus.FAILED, 10)
        assert [record.id for record in failed] == [second, first]
        assert len(await admin.list_events(session)) == 3
        assert len(await admin.list_events(session, limit=1)) == 1


async def test_a_retried_event_is_pending_again_as_if_never_tried(events: Queue) -> None:
    event_id = await _failed(events, 5)
    async with events.database.session() as session:
        await admin.retry(session, event_id)
    event = await events.claim_one()
    assert (event.id, event.attempt, event.payload) == (event_id, 1, {"n": 5})
    assert (await events.stats())["failed"] == 0


async def test_a_retried_event_takes_its_turn_in_its_key(events: Queue) -> None:
    event_id = await _failed(events, 0, ordering_key="a")
    await events.put(1, ordering_key="a")
    await events.put(2, ordering_key="a")
    async with events.database.session() as session:
        await admin.retry(session, event_id)
    order: list[int] = []
    for _ in range(3):
        [event] = await events.claim()
        order.append(event.payload["n"])
        await queue.complete(events.link, [event])
    assert order == [1, 0, 2]


async def test_a_dropped_event_is_gone(events: Queue) -> None:
    event_id = await _failed(events)
    async with events.database.session() as session:
        await admin.drop(session, event_id)
    with pytest.raises(admin.NoSuchEvent, match="no event"):
        await events.show(event_id)


async def test_only_failed_events_are_retried_or_dropped(events: Queue) -> None:
    event_id = await events.put()
    async with events.database.session() as session:
        for act in (admin.retry, admin.drop):
            with pytest.raises(admin.NoSuchEvent, match="is pending, not failed"):
                await act(session, event_id)


async def test_an_unknown_event_is_named_with_the_mend(events: Queue) -> None:
    async with events.database.session() as session:
        with pytest.raises(admin.NoSuchEvent, match="athenaeum events list"):
            await admin.retry(session, EventId(404))


async def test_stats_count_each_status(events: Queue) -> None:
    await _failed(events)
    for n in range(4):
        await events.put(n)
    await queue.complete(events.link, await events.claim(1))
    await events.claim(1)
    async with events.database.session() as session:
        assert await admin.stats(session) == {"pending": 2, "processing": 1, "completed": 1, "failed": 1}
