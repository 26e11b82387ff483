from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.errors import Refused, RetryLater
from athenaeum.events import queue
from athenaeum.observability import metrics
from athenaeum.worker import rescue
from athenaeum.worker.pool import WorkerPool
from support.events import MINUTE, NOTHING, Queue, until

OF = {"kind": "measured", "tenant": str(DEFAULT_TENANT)}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Metrics are the process's: they begin and end empty here."""
    counters = (metrics.EVENTS_CLAIMED, metrics.EVENTS_FINISHED, metrics.EVENTS_RESCUED, metrics.LEASES_LOST)
    gauges = (metrics.QUEUE_DEPTH, metrics.QUEUE_OLDEST_SECONDS)
    for metric in (*counters, *gauges):
        metric.clear()
    yield
    for metric in (*counters, *gauges):
        metric.clear()


def told(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"athenaeum_{name}", OF | labels)


async def test_the_gauges_tell_each_state_by_kind_and_tenant(events: Queue) -> None:
    failed = await events.put(kind="measured")
    await queue.fail(events.link, await events.claim_one(), "no")
    for n in range(2):
        await events.put(n, kind="measured", ordering_key="a")
    await events.put(kind="measured", delay=timedelta(hours=1))
    await events.put(kind="measured", priority=9)
    assert (await events.claim_one()).id != failed
    await rescue.measure(events.database)
    depths = {state: told("queue_depth", state=state) for state in ("ready", "waiting", "blocked", "running", "failed")}
    assert depths == dict.fromkeys(depths, 1.0)
    assert (told("queue_oldest_seconds") or 0) > 0


async def test_what_is_due_ages_also_while_nobody_claims(events: Queue) -> None:
    await events.put(kind="measured", delay=timedelta(hours=1))
    await events.sql("UPDATE queued_events SET ready_at = clock_timestamp() - interval '90 s' RETURNING 1")
    await rescue.measure(events.database)
    assert 90 <= (told("queue_oldest_seconds") or 0) < 120


async def test_what_is_not_due_has_no_age(events: Queue) -> None:
    await events.put(kind="measured", delay=timedelta(hours=1))
    await rescue.measure(events.database)
    assert told("queue_oldest_seconds") == 0


async def test_a_kind_of_which_nothing_is_left_is_told_no_longer(events: Queue) -> None:
    await events.put(kind="measured")
    await rescue.measure(events.database)
    assert told("queue_depth", state="ready") == 1
    await queue.complete(events.link, await events.claim())
    await rescue.measure(events.database)
    assert (told("queue_depth", state="ready"), told("queue_oldest_seconds")) == (None, None)


async def test_outcomes_are_counted_by_kind_and_tenant(events: Queue) -> None:
    begun = asyncio.Event()

    async def handle(event: Event) -> None:
        match event.payload["n"]:
            case 0:
                return
            case 1:
                raise Refused("no")
            case 2 if event.attempt == 1:
                raise RetryLater("again", after=NOTHING)
            case 2:
                return
            case _:
                begun.set()
                await asyncio.sleep(60)

    for n in range(4):
        await events.put(n, kind="measured")
    async with WorkerPool(4, events.database, handle, drain_time=NOTHING):
        await begun.wait()
        await until(lambda: told("events_finished_total", outcome="completed") == 2)
        await until(lambda: told("events_finished_total", outcome="failed") == 1)
    ends = {
        name: told("events_finished_total", outcome=name) for name in ("completed", "retried", "failed", "released")
    }
    assert ends == {"completed": 2, "retried": 1, "failed": 1, "released": 1}
    assert told("events_claimed_total") == 5


async def test_the_rescued_are_counted_by_kind_and_tenant(events: Queue) -> None:
    await events.put(kind="measured")
    await events.put(kind="other")
    await events.claim(lease=NOTHING)
    assert await rescue.rescue(events.database, max_retries=3) == 2
    assert told("events_rescued_total") == 1


async def test_lost_leases_are_counted_by_kind_and_tenant(events: Queue) -> None:
    begun = asyncio.Event()

    async def handle(_: Event) -> None:
        begun.set()
        await asyncio.sleep(60)

    event_id = await events.put(kind="measured")
    async with WorkerPool(1, events.database, handle, visibility_timeout=MINUTE, drain_time=NOTHING):
        await begun.wait()
        await events.sql("SELECT events_cancel(%s)", event_id)
        await until(lambda: told("leases_lost_total") == 1)
