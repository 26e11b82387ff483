"""Procrastinate: one statement a job, a lock per key, history in a table of its own beside the jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from bench.queue.payload import SQL, payload
from bench.queue.peers.contract import SLOTS, PostgresPeer, Put
from bench.queue.record import Record

procrastinate: Any = import_module("procrastinate")  # may be missing, so the type checker does not look for it

_DROP = """
DO $$ DECLARE signature text; BEGIN
    DROP TABLE IF EXISTS procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs,
        procrastinate_workers CASCADE;
    FOR signature IN SELECT oid::regprocedure FROM pg_proc WHERE proname LIKE 'procrastinate%' LOOP
        EXECUTE 'DROP FUNCTION ' || signature || ' CASCADE';
    END LOOP;
    DROP TYPE IF EXISTS procrastinate_job_status, procrastinate_job_event_type, procrastinate_job_to_defer_v1 CASCADE;
END $$"""
_FILL = "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)"
_NO_TRIGGERS = "SET session_replication_role = replica"
_TRIGGERS = "RESET session_replication_role"
_NOTE = "INSERT INTO procrastinate_events (job_id, type) SELECT id, event::procrastinate_job_event_type"
_VACUUM = "VACUUM ANALYZE procrastinate_jobs, procrastinate_events"


class Procrastinate(PostgresPeer):
    UNFINISHED = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"
    DISCARD = ("DELETE FROM procrastinate_jobs WHERE status IN ('todo', 'doing')", _VACUUM)

    def _app(self, size: int, record: Record | None = None) -> tuple[Any, Any]:
        connector = procrastinate.PsycopgConnector(conninfo=self.addresses.owner, min_size=2, max_size=max(size, 2))
        app = procrastinate.App(connector=connector)

        @app.task(name="bench", queue="bench")
        async def bench(event: dict[str, Any]) -> None:
            assert record is not None
            record.start(event["i"])

        return app, bench

    async def empty(self) -> None:
        await self.sql(_DROP)
        app, _ = self._app(2)
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    @asynccontextmanager
    async def producer(self, clients: int) -> AsyncGenerator[Put]:
        app, task = self._app(clients)
        async with app.open_async():

            async def put(i: int) -> None:
                await task.defer_async(event=payload(i))

            yield put

    async def bulk(self, count: int) -> None:
        app, task = self._app(2)
        async with app.open_async():
            for first in range(0, count, 1000):
                await task.batch_defer_async(
                    *({"event": payload(i)} for i in range(first, min(first + 1000, count))),
                )

    async def wait(self, count: int) -> None:
        await self.sql(
            _NO_TRIGGERS,
            f"{_FILL} SELECT 'bench', 'bench', jsonb_build_object('event', {SQL}), 'todo', 0"
            f" FROM generate_series(0, {count - 1}) AS i",
            f"{_NOTE} FROM procrastinate_jobs, unnest(ARRAY['deferred']) AS event",
            _TRIGGERS,
            _VACUUM,
        )

    async def finish(self, count: int) -> None:
        await self.sql(
            _NO_TRIGGERS,
            f"{_FILL} SELECT 'bench', 'bench', jsonb_build_object('event', {SQL}), 'succeeded', 1"
            f" FROM generate_series(1, {count}) AS i",
            f"{_NOTE} FROM procrastinate_jobs, unnest(ARRAY['deferred', 'started', 'succeeded']) AS event",
            _TRIGGERS,
            _VACUUM,
        )

    def work(self, record: Record) -> None:
        asyncio.run(self._work(record))

    async def _work(self, record: Record) -> None:
        app, _ = self._app(SLOTS + 2, record)
        async with app.open_async():
            app.job_manager.fetch_job = record.timed(app.job_manager.fetch_job, bool)
            await app.run_worker_async(queues=["bench"], concurrency=SLOTS)  # ends on SIGTERM by itself
