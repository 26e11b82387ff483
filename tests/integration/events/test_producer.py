from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import ProgrammingError

from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.events import EventProcessor, enqueue, queue
from athenaeum.events.history import upkeep
from support.events import Queue

OTHER = TenantId(UUID(int=2))


def _event(dedupe_key: str | None = None, *, tenant: TenantId = DEFAULT_TENANT) -> NewEvent:
    return NewEvent("test", {"text": "naïve 😀 '--"}, tenant, dedupe_key=dedupe_key)


async def test_nothing_is_enqueued_when_the_callers_transaction_fails(events: Queue) -> None:
    async with events.database.session(DEFAULT_TENANT) as session:
        await enqueue(session, _event("a"))
        await session.rollback()
    assert await events.claim() == []
    async with events.database.session(DEFAULT_TENANT) as session:
        assert await enqueue(session, _event("a")) is not None


async def test_the_same_dedupe_key_is_kept_once(events: Queue) -> None:
    async with events.database.session(DEFAULT_TENANT) as session:
        first = await enqueue(session, _event("a"))
        assert await enqueue(session, _event("a")) is None
        assert await enqueue(session, _event("b")) is not None
    assert [event.id for event in await events.claim(1)] == [first]


async def test_a_dedupe_key_is_remembered_after_the_event_is_done(events: Queue) -> None:
    await events.put(dedupe_key="a")
    await queue.complete(events.link, await events.claim())
    async with events.database.session(DEFAULT_TENANT) as session:
        assert await enqueue(session, _event("a")) is None


async def test_of_many_that_enqueue_the_same_key_at_once_one_succeeds(events: Queue) -> None:
    async def put() -> bool:
        async with events.database.session(DEFAULT_TENANT) as session:
            return await enqueue(session, _event("a")) is not None

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(put()) for _ in range(20)]
    assert sum(task.result() for task in tasks) == 1


async def test_tenants_have_dedupe_keys_and_ordering_keys_of_their_own(events: Queue) -> None:
    for tenant in (DEFAULT_TENANT, OTHER):
        await events.put(tenant=tenant, dedupe_key="a", ordering_key="thread")
    assert {event.tenant for event in await events.claim()} == {DEFAULT_TENANT, OTHER}


async def test_a_tenant_cannot_enqueue_for_another(events: Queue) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with events.database.session(DEFAULT_TENANT) as session:
            await enqueue(session, _event(tenant=OTHER))


async def test_a_session_without_a_tenant_enqueues_for_any(events: Queue) -> None:
    async with events.database.session() as session:
        assert await enqueue(session, _event(tenant=OTHER)) is not None


@pytest.mark.parametrize("table", ["events", "queued_events", "finished_events", "failed_events", "event_keys"])
async def test_a_tenant_sees_its_own_events_alone(events: Queue, table: str) -> None:
    for tenant in (DEFAULT_TENANT, OTHER):
        for n in range(3):
            await events.put(n, tenant=tenant, dedupe_key=str(n))
    for event in await events.claim():
        if event.payload["n"] == 0:
            await queue.complete(events.link, [event])
        elif event.payload["n"] == 1:
            await queue.fail(events.link, event, "x")
    async with events.database.session(OTHER) as session:
        connection = await session.connection()
        seen = await connection.exec_driver_sql(f"SELECT DISTINCT tenant_id FROM {table}")
        assert seen.scalars().all() == [OTHER]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE queued_events SET state = 'ready'",
        "UPDATE queued_events SET tenant_id = '00000000-0000-0000-0000-000000000002'",
        "DELETE FROM queued_events",
        "SELECT events_claim('me', 1, '1 minute', NULL)",
        "SELECT events_upkeep('0', '0')",
        "UPDATE finished_events SET kind = 'x'",
        "SELECT * FROM finished_events_default",
    ],
)
async def test_a_tenant_may_not_work_the_queue(events: Queue, statement: str) -> None:
    await events.put()
    with pytest.raises(ProgrammingError):
        async with events.database.session(DEFAULT_TENANT) as session:
            await (await session.connection()).exec_driver_sql(statement)


async def test_a_payload_comes_back_as_it_went_in(events: Queue) -> None:
    payload = {"text": "naïve 😀 '--", "n": [1, {"deep": None}]}
    async with events.database.session(DEFAULT_TENANT) as session:
        await enqueue(session, NewEvent("test", payload, DEFAULT_TENANT))
    assert (await events.claim_one()).payload == payload


async def test_a_dedupe_key_outlives_its_retention_while_its_event_waits(events: Queue) -> None:
    await events.put(dedupe_key="old")
    await _age_keys(events, timedelta(days=9))
    async with events.database.session() as session:
        await upkeep(session)
    async with events.database.session(DEFAULT_TENANT) as session:
        assert await enqueue(session, _event("old")) is None


async def test_a_dedupe_key_is_forgotten_after_its_retention(events: Queue) -> None:
    await events.put(dedupe_key="old")
    await queue.complete(events.link, await events.claim())
    await _age_keys(events, timedelta(hours=47))
    async with events.database.session() as session:
        await upkeep(session)
    async with events.database.session(DEFAULT_TENANT) as session:
        assert await enqueue(session, _event("old")) is None
    await _age_keys(events, timedelta(hours=2))
    async with events.database.session() as session:
        await upkeep(session)
    async with events.database.session(DEFAULT_TENANT) as session:
        assert await enqueue(session, _event("old")) is not None


async def _age_keys(events: Queue, age: timedelta) -> None:
    """The engine may not change keys, so they are replaced."""
    async with events.database.session() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "WITH gone AS (DELETE FROM event_keys RETURNING *)"
            " INSERT INTO event_keys SELECT tenant_id, dedupe_key || '', remembered_from - %s FROM gone"
            " ON CONFLICT DO NOTHING",
            (age,),
        )


async def test_the_processor_and_the_depth_count_what_waits(events: Queue) -> None:
    await events.put(ordering_key="a")
    await events.put(ordering_key="a")
    await events.put(delay=timedelta(hours=1))
    await events.claim_one()
    async with events.database.session() as session:
        assert await EventProcessor(session, "w").get_queue_depth() == 2
