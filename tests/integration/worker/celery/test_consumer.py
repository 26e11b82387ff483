"""Events that Celery brings: worked on once, whatever becomes of their messages."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from athenaeum.database.link import Link
from athenaeum.events import admin
from athenaeum.worker.celery.app import build_app, publish
from athenaeum.worker.pool import WorkerPool

if TYPE_CHECKING:
    from athenaeum.domain.event import Event
    from conftest import Post


async def queued(post: Post) -> int:
    async with Link(post.database) as link:
        [[count]] = await link.fetch("SELECT count(*) FROM queued_events", ())
    return count


async def test_every_event_is_worked_on_once(post: Post) -> None:
    async with post.relaying(), post.relaying(), post.consuming():
        await post.enqueue(*range(100))
        await post.until(lambda: len(post.done) >= 100)
    assert sorted(post.done) == [*range(100)]
    assert await queued(post) == 0


async def test_events_of_a_key_are_worked_on_in_order(post: Post) -> None:
    async with post.relaying(), post.consuming():
        await post.enqueue(*range(10), ordering_key="thread")
        await post.until(lambda: len(post.done) >= 10)
    assert post.done == [*range(10)]


async def test_a_message_that_comes_twice_finds_nothing_to_claim(post: Post) -> None:
    app = build_app(post.broker)
    async with post.relaying(), post.consuming():
        ids = await post.enqueue(1)
        await post.until(lambda: post.done == [1])
        publish(app, ids * 3)
        await post.enqueue(2)
        await post.until(lambda: 2 in post.done and post.messages() == 0)
    app.close()
    assert post.done == [1, 2]


async def test_lost_messages_are_sent_again(post: Post) -> None:
    async with post.relaying(patience=0.5):
        await post.enqueue(*range(5))
        await post.until(lambda: post.messages() == 5)
        post.forget()
        async with post.consuming():
            await post.until(lambda: len(post.done) == 5)
    assert sorted(post.done) == [*range(5)]


async def test_a_broker_that_loses_everything_delays_what_it_knew(post: Post) -> None:
    async with post.relaying(patience=0.5), post.consuming():
        await post.enqueue(1)
        await post.until(lambda: post.done == [1])
        post.server.stop()
        await post.enqueue(2)
        post.server.start()
        await post.until(lambda: post.done == [1, 2], seconds=40)


async def test_a_failure_is_retried_by_the_queue_and_not_by_celery(post: Post) -> None:
    async def fail(event: Event) -> None:
        post.done.append(event.attempt)
        raise ValueError("as planned")

    async with post.relaying(), post.consuming(fail):
        (event,) = await post.enqueue(1)
        await post.until(lambda: post.done == [1])
        await post.until(lambda: post.messages() == 0)
    async with post.database.session() as session:
        record = await admin.show(session, event)
    assert (record.status, record.error_message) == ("pending", "ValueError: as planned")


async def test_a_plain_function_is_a_handler_too(post: Post) -> None:
    def handle(event: Event) -> None:
        time.sleep(0.01)
        post.done.append(event.payload["n"])

    async with post.relaying(), post.consuming(handle):
        await post.enqueue(*range(5))
        await post.until(lambda: len(post.done) == 5)


async def test_a_worker_that_stops_hands_back_at_once(post: Post) -> None:
    begun = asyncio.Event()

    async def hang(_: Event) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with post.relaying():
        async with post.consuming(hang, drain=0.0):
            await post.enqueue(1)
            await asyncio.wait_for(begun.wait(), 20)
            stopping = time.monotonic()
        stopped = time.monotonic() - stopping
        async with post.consuming():
            await post.until(lambda: post.done == [1])
    assert stopped < 8  # a second by itself; Celery looks around every second, and the machine is busy
    assert await queued(post) == 0


async def test_the_pool_and_celery_share_one_queue(post: Post) -> None:
    async with post.relaying(), post.consuming(), WorkerPool(5, post.database, post.work):
        await post.enqueue(*range(100))
        await post.until(lambda: len(post.done) >= 100)
    assert sorted(post.done) == [*range(100)]
