from __future__ import annotations

import pytest

from athenaeum.domain.event import EventStatus
from athenaeum.errors import Discard, LeaseLost, Refused, RetryLater
from athenaeum.events import EventProcessor, queue
from support.bouncer import BOTH_DOORS
from support.events import NOTHING, Queue

pytestmark = BOTH_DOORS


async def test_a_claimed_event_is_completed_in_a_later_transaction(events: Queue) -> None:
    event_id = await events.put(4)
    async with events.database.session() as session:
        event = await EventProcessor(session, "me").claim_event()
    assert event is not None
    assert (await events.show(event_id)).claimed_by == "me"
    async with events.database.session() as session:
        assert await EventProcessor(session, "me").complete_event(event)
    assert (await events.show(event_id)).status is EventStatus.COMPLETED


async def test_an_empty_queue_gives_none(events: Queue) -> None:
    async with events.database.session() as session:
        assert await EventProcessor(session, "me").claim_event() is None


async def test_a_claim_that_is_rolled_back_never_was(events: Queue) -> None:
    event_id = await events.put()
    async with events.database.session() as session:
        await EventProcessor(session, "me").claim_event()
        await session.rollback()
    event = await events.claim_one()
    assert (event.id, event.attempt) == (event_id, 1)


async def test_two_processors_never_claim_the_same_event(events: Queue) -> None:
    await events.put()
    async with events.database.session() as one, events.database.session() as other:
        assert await EventProcessor(one, "one").claim_event() is not None
        assert await EventProcessor(other, "other").claim_event() is None


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("x"), EventStatus.PENDING),
        (RetryLater("x"), EventStatus.PENDING),
        (Refused("x"), EventStatus.FAILED),
        (Discard("x"), EventStatus.COMPLETED),
        (LeaseLost("x"), None),
    ],
)
async def test_the_error_decides_what_becomes_of_the_event(
    events: Queue, error: Exception, status: EventStatus | None
) -> None:
    event_id = await events.put()
    event = await events.claim_one()
    async with events.database.session() as session:
        assert await EventProcessor(session, "test").fail_event(event, error) == status
    assert (await events.show(event_id)).status == (status or EventStatus.PROCESSING)


async def test_the_last_retry_is_followed_by_failure(events: Queue) -> None:
    event_id = await events.put()
    event = await events.claim_one()
    async with events.database.session() as session:
        processor = EventProcessor(session, "test", max_retries=0)
        assert await processor.fail_event(event, ValueError("seven")) is EventStatus.FAILED
    assert (await events.show(event_id)).error_message == "ValueError: seven"


async def test_who_lost_the_lease_is_told(events: Queue) -> None:
    await events.put()
    stale = await events.claim_one(lease=NOTHING)
    await events.sql("SELECT * FROM events_rescue(9)")
    newer = await events.claim_one()
    async with events.database.session() as session:
        processor = EventProcessor(session, "test")
        assert not await processor.complete_event(stale)
        assert await processor.fail_event(stale, ValueError()) is None
        assert await processor.get_queue_stats() == {"pending": 0, "processing": 1, "completed": 0, "failed": 0}
    assert (await queue.complete(events.link, [newer])).done
