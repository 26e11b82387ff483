"""The plain plan: one table, one row a claim by SKIP LOCKED, and workers that look every 100 ms."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
from bench.queue.payload import SQL, payload
from bench.queue.peers.contract import SLOTS, PostgresPeer, Put
from bench.queue.record import Record
from psycopg_pool import AsyncConnectionPool

_POLL = 0.1  # seconds
_TABLE = (
    "DROP TABLE IF EXISTS polled_events",
    """CREATE TABLE polled_events (
        id bigserial PRIMARY KEY,
        payload jsonb NOT NULL,
        status text NOT NULL DEFAULT 'pending',
        visibility_timeout timestamptz,
        claimed_by text,
        retry_count integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        processed_at timestamptz)""",
    "CREATE INDEX polled_events_status ON polled_events (status, visibility_timeout)",
)
_INSERT = "INSERT INTO polled_events (payload) VALUES (%s)"
_CLAIM = """
    UPDATE polled_events
    SET status = 'processing', claimed_by = 'bench', visibility_timeout = now() + interval '5 minutes'
    WHERE id = (SELECT id FROM polled_events WHERE status = 'pending' ORDER BY created_at LIMIT 1
                FOR UPDATE SKIP LOCKED)
    RETURNING id, payload"""
_COMPLETE = "UPDATE polled_events SET status = 'completed', processed_at = now() WHERE id = %s"


class Polled(PostgresPeer):
    UNFINISHED = "SELECT EXISTS (SELECT FROM polled_events WHERE status IN ('pending', 'processing'))"
    DISCARD = ("DELETE FROM polled_events WHERE status IN ('pending', 'processing')", "VACUUM polled_events")

    async def empty(self) -> None:
        await self.sql(*_TABLE)

    @asynccontextmanager
    async def producer(self, clients: int) -> AsyncGenerator[Put]:
        settings = {"autocommit": True}
        async with AsyncConnectionPool(self.addresses.owner, min_size=clients, kwargs=settings) as pool:

            async def put(i: int) -> None:
                async with pool.connection() as connection:
                    await connection.execute(_INSERT, [json.dumps(payload(i))])

            yield put

    async def bulk(self, count: int) -> None:
        async with await psycopg.AsyncConnection.connect(self.addresses.owner) as connection:
            for first in range(0, count, 1000):
                rows = [[json.dumps(payload(i))] for i in range(first, min(first + 1000, count))]
                await connection.cursor().executemany(_INSERT, rows)
                await connection.commit()

    async def wait(self, count: int) -> None:
        await self.sql(
            f"INSERT INTO polled_events (payload) SELECT {SQL} FROM generate_series(0, {count - 1}) AS i",
            "VACUUM ANALYZE polled_events",
        )

    async def finish(self, count: int) -> None:
        await self.sql(
            f"""INSERT INTO polled_events (payload, status, visibility_timeout, claimed_by, processed_at)
            SELECT {SQL}, 'completed', now(), 'bench', now() FROM generate_series(1, {count}) AS i""",
            "VACUUM ANALYZE polled_events",
        )

    def work(self, record: Record) -> None:
        asyncio.run(self._work(record))

    async def _work(self, record: Record) -> None:
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        async with asyncio.TaskGroup() as group:
            for _ in range(SLOTS):
                group.create_task(self._slot(record, stopping))

    async def _slot(self, record: Record, stopping: asyncio.Event) -> None:
        async with await psycopg.AsyncConnection.connect(self.addresses.owner, autocommit=True) as connection:

            async def claim() -> Any:
                return await (await connection.execute(_CLAIM)).fetchone()

            timed = record.timed(claim, bool)
            while not stopping.is_set():
                row = await timed()
                if row is None:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stopping.wait(), _POLL)
                    continue
                record.start(row[1]["i"])
                await connection.execute(_COMPLETE, [row[0]])
