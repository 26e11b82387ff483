from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import ProgrammingError

from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.events import EventProcessor, Producer, enqueue, enqueue_many, queue
from athenaeum.events.history import upkeep
from athenaeum.worker.pool import WorkerPool
from support.events import Queue, listening, until, waits_for_a_lock

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

    async with asyncio.TaskGroup() as group, events.database.session(DEFAULT_TENANT) as session:
        first = await enqueue(session, _event("a"))
        others = [group.create_task(put()) for _ in range(5)]
        await waits_for_a_lock(events, others[0])
    assert first is not None
    assert not any(other.result() for other in others)


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


KEYS = st.sampled_from([None, "x", "y"])
NEW = st.builds(
    NewEvent,
    kind=st.sampled_from("ab"),
    payload=st.just({"n": 1}),
    tenant=st.sampled_from([DEFAULT_TENANT, OTHER]),
    dedupe_key=KEYS,
    ordering_key=KEYS,
    fair_key=KEYS,
    priority=st.sampled_from([0, 7]),
    delay=st.sampled_from([timedelta(0), timedelta(hours=1), timedelta(hours=2)]),
)
SEEN = """
    SELECT event_id, tenant_id::text, kind, payload, dedupe_key, ordering_key, fair_key, priority, state, attempt,
           extract(epoch FROM ready_at - created_at)::integer,
           rank() OVER (PARTITION BY tenant_id, kind, priority, fair_key ORDER BY tag), tag = 0
    FROM queued_events ORDER BY event_id"""
REMEMBERED = """
    SELECT tenant_id::text, dedupe_key, round(extract(epoch FROM remembered_from - clock_timestamp()) / 1000)
    FROM event_keys ORDER BY 1, 2"""


async def _seen(
    events: Queue, *, together: bool, before: list[NewEvent], claims: int, new: list[NewEvent]
) -> list[Any]:
    """What stands in the queue after events were enqueued to one with a past."""
    with psycopg.connect(events.database.url, autocommit=True) as owner:
        owner.execute("TRUNCATE queued_events, event_keys")
        owner.execute("ALTER SEQUENCE event_ids RESTART")
    async with events.database.session() as session:
        for event in before:
            await enqueue(session, event)
    await events.sql(
        "UPDATE queued_events SET state = 'running' WHERE event_id <= %s AND state = 'ready' RETURNING 1", claims
    )
    async with events.database.session() as session:
        if together:
            ids = await enqueue_many(session, new)
        else:
            ids = [await enqueue(session, event) for event in new]
    return [ids, await events.sql(SEEN), await events.sql(REMEMBERED)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(NEW, max_size=4), claims=st.integers(0, 4), new=st.lists(NEW, max_size=8))
async def test_events_enqueued_together_stand_as_if_enqueued_one_by_one(
    events: Queue, before: list[NewEvent], claims: int, new: list[NewEvent]
) -> None:
    together = await _seen(events, together=True, before=before, claims=claims, new=new)
    one_by_one = await _seen(events, together=False, before=before, claims=claims, new=new)
    assert together == one_by_one


async def test_who_enqueues_together_under_the_same_keys_crosswise_meets_no_deadlock(events: Queue) -> None:
    async def put(names: list[str]) -> None:
        async with events.database.session() as session:
            new = [NewEvent("test", {}, DEFAULT_TENANT, ordering_key=name, dedupe_key=None) for name in names]
            await enqueue_many(session, new)

    for turn in range(5):
        names = [f"{turn}-{n}" for n in range(300)]
        async with asyncio.TaskGroup() as group:
            for order in (names, names[::-1], names[150:] + names[:150]):
                group.create_task(put(order))
    assert await events.sql("SELECT count(*), count(DISTINCT ordering_key) FROM queued_events") == [(4500, 1500)]


async def test_what_many_tasks_enqueue_at_once_is_committed_together(events: Queue) -> None:
    async with Producer(events.database) as producer, asyncio.TaskGroup() as group:
        tasks = [group.create_task(producer.enqueue(_event(f"{n}"), _event(f"{n}"))) for n in range(50)]
    found = [task.result() for task in tasks]
    assert len({first for first, _ in found}) == 50
    assert {second for _, second in found} == {None}
    assert await events.sql("SELECT count(DISTINCT xmin::text) <= 2 FROM queued_events") == [(True,)]


@pytest.mark.parametrize(
    "bad",
    [
        NewEvent("test", {"text": "\x00"}, DEFAULT_TENANT),
        NewEvent("te\x00st", {}, DEFAULT_TENANT),
        NewEvent("\ud800", {}, DEFAULT_TENANT),
        NewEvent("test", {"text": object()}, DEFAULT_TENANT),
        NewEvent("test", {}, DEFAULT_TENANT, priority=-(2**31)),
    ],
    ids=["payload", "kind", "surrogate", "not JSON", "priority"],
)
async def test_what_cannot_be_stored_fails_alone(events: Queue, bad: NewEvent) -> None:
    async with Producer(events.database) as producer:

        async def put(new: NewEvent) -> bool:
            try:
                return None not in await producer.enqueue(new)
            except (psycopg.DataError, UnicodeError, TypeError):
                return False

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(put(bad if n in {0, 3} else _event())) for n in range(9)]
    assert [task.result() for task in tasks] == [n not in {0, 3} for n in range(9)]
    assert len(await events.claim()) == 7


async def test_a_lost_connection_is_told_and_the_next_call_opens_another(events: Queue) -> None:
    async with Producer(events.database) as producer:
        await producer.enqueue(_event("a"))
        with psycopg.connect(events.database.url, autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE '%events_enqueue%' AND pid <> pg_backend_pid()"
            )
        with pytest.raises(psycopg.OperationalError):
            await producer.enqueue(_event("b"))
        assert None not in await producer.enqueue(_event("b"), _event("c"))
        assert await producer.enqueue() == []
    assert len(await events.claim()) == 3


async def test_the_cancelling_of_one_caller_harms_no_other(events: Queue) -> None:
    async with Producer(events.database) as producer:
        tasks = [asyncio.create_task(producer.enqueue(_event())) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.wait(tasks)
        assert [None in task.result() for task in (tasks[0], tasks[2])] == [False, False]


async def test_a_producers_events_wake_a_pool(events: Queue) -> None:
    done: list[Event] = []
    async with Producer(events.database) as producer, WorkerPool(2, events.database, done.append):
        await listening(events)
        await producer.enqueue(_event())
        await until(lambda: len(done) == 1, seconds=4)  # the poll comes after four seconds at the earliest
        await producer.enqueue(_event(), NewEvent("test", {}, DEFAULT_TENANT, delay=timedelta(milliseconds=300)))
        await until(lambda: len(done) == 3, seconds=4)
