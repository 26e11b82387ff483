from __future__ import annotations

from datetime import timedelta

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, EventId
from athenaeum.events import EventProcessor, enqueue, queue
from athenaeum.events.link import Link

LEASE = timedelta(seconds=60)


async def put(
    database: DatabaseConnection,
    *,
    key: str | None = None,
    dedupe: str | None = None,
    n: int = 0,
    priority: int = 0,
    delay: timedelta = timedelta(0),
) -> EventId | None:
    event = NewEvent(
        "test", {"n": n}, DEFAULT_TENANT, dedupe_key=dedupe, ordering_key=key, priority=priority, delay=delay
    )
    async with database.session(DEFAULT_TENANT) as session:
        return await enqueue(session, event)


async def claim(link: Link, limit: int = 10, *, lease: timedelta = LEASE, worker: str = "w") -> list[Event]:
    return await queue.claim(link, worker, limit=limit, lease=lease)


async def test_an_event_is_claimed_and_completed_once(database: DatabaseConnection, link: Link) -> None:
    event_id = await put(database, n=7)
    [event] = await claim(link)
    assert (event.id, event.kind, event.payload, event.attempt) == (event_id, "test", {"n": 7}, 1)
    assert await claim(link) == []
    assert await queue.complete(link, [event]) == {event.id}
    assert await claim(link) == []
    async with database.session() as session:
        assert await EventProcessor(session, "w").get_queue_stats() == {
            "pending": 0,
            "processing": 0,
            "completed": 1,
            "failed": 0,
        }
