"""Ours, by its public entrances, with all of its promises on: dedupe key, ordering key, lease and fencing token."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from bench.queue.payload import SQL, payload
from bench.queue.peers.contract import SLOTS, PostgresPeer, Put
from bench.queue.record import Record

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.events import Producer, enqueue, enqueue_many, queue
from athenaeum.worker.pool import WorkerPool

_DAYS = 10
"""Over which a past is spread; dedupe keys are remembered for two of them."""


# Each event has a thread of its own, named as the product names one: by its channel and the time of its first message.
_CHANNEL = "C0BENCH0001"
_EPOCH = 1793000000


def _event(i: int) -> NewEvent:
    thread = f"{_CHANNEL}:{_EPOCH + i}.000100"
    return NewEvent("mention", payload(i), DEFAULT_TENANT, dedupe_key=f"event:{i}", ordering_key=thread)


class Athenaeum(PostgresPeer):
    UNFINISHED = "SELECT EXISTS (SELECT FROM queued_events)"
    DISCARD = (
        "TRUNCATE queued_events",
        "DELETE FROM event_keys WHERE starts_with(dedupe_key, 'event:')",
        "VACUUM event_keys",
    )

    def _database(self) -> DatabaseConnection:
        return DatabaseConnection(self.addresses.database)

    async def empty(self) -> None:
        async with self._database() as database:
            await database.create_tables()
        await self.sql("TRUNCATE queued_events, finished_events, failed_events, event_keys")

    @asynccontextmanager
    async def producer(self, clients: int) -> AsyncGenerator[Put]:  # noqa: ARG002 - any number may use it at once
        async with self._database() as database, Producer(database) as producer:

            async def put(i: int) -> None:
                await producer.enqueue(_event(i))

            yield put

    async def bulk(self, count: int) -> None:
        async with self._database() as database, Producer(database) as producer:
            for first in range(0, count, 1000):
                await producer.enqueue(*map(_event, range(first, min(first + 1000, count))))

    async def wait(self, count: int) -> None:
        rows = f"generate_series(0, {count - 1}) AS i"
        await self.sql(
            f"""INSERT INTO queued_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, state,
                                           ready_at)
            SELECT nextval('event_ids'), '{DEFAULT_TENANT}', 'mention', {SQL}, 'event:' || i,
                   '{_CHANNEL}:' || {_EPOCH} + i || '.000100', 'ready',
                   now() - interval '1 hour' + i * interval '1 millisecond'
            FROM {rows}""",
            f"""INSERT INTO event_keys (tenant_id, dedupe_key, remembered_from)
            SELECT '{DEFAULT_TENANT}', 'event:' || i, now() FROM {rows}""",
            "VACUUM ANALYZE queued_events, event_keys",
        )

    async def finish(self, count: int) -> None:
        age = f"(i * interval '{_DAYS} days' / {count})"
        for days in range(1, _DAYS + 1):
            day = f"(SELECT (now() AT TIME ZONE 'UTC')::date - {days})"
            await self.sql(f"""DO $$ DECLARE day date := {day}; BEGIN
                EXECUTE format('CREATE TABLE IF NOT EXISTS finished_events_%s PARTITION OF finished_events'
                               ' FOR VALUES FROM (%L) TO (%L)',
                               to_char(day, 'YYYYMMDD'), day || ' UTC', day + 1 || ' UTC');
            END $$""")
        rows = f"generate_series(1, {count}) AS i"
        await self.sql(
            f"""INSERT INTO finished_events (event_id, tenant_id, kind, payload, dedupe_key, ordering_key, priority,
                                             attempt, created_at, lease_token, claimed_by, finished_at)
            SELECT nextval('event_ids'), '{DEFAULT_TENANT}', 'mention', {SQL}, 'past:' || i, 'past:' || i, 0, 1,
                   now() - {age}, nextval('lease_tokens'), 'bench', now() - {age}
            FROM {rows}""",
            f"""INSERT INTO event_keys (tenant_id, dedupe_key, remembered_from)
            SELECT '{DEFAULT_TENANT}', 'past:' || i, now() - {age} FROM {rows} WHERE {age} < interval '2 days'""",
            "VACUUM ANALYZE finished_events, event_keys",
        )

    def work(self, record: Record) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        queue.claim = record.timed(queue.claim, len)
        asyncio.run(self._work(record))

    async def _work(self, record: Record) -> None:
        async def handle(event: Event) -> None:
            record.start(event.payload["i"])

        async with self._database() as database:
            await WorkerPool(SLOTS, database, handle).run_forever()


class InTransaction(Athenaeum):
    """Ours where events are enqueued in a transaction of the caller's, to be committed together with its own writes."""

    @asynccontextmanager
    async def producer(self, clients: int) -> AsyncGenerator[Put]:
        async with DatabaseConnection(self.addresses.database, pool_size=clients) as database:

            async def put(i: int) -> None:
                async with database.session(DEFAULT_TENANT) as session:
                    await enqueue(session, _event(i))

            yield put

    async def bulk(self, count: int) -> None:
        async with self._database() as database:
            for first in range(0, count, 1000):
                async with database.session(DEFAULT_TENANT) as session:
                    await enqueue_many(session, [_event(i) for i in range(first, min(first + 1000, count))])
