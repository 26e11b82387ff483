"""PgQueuer: batched claims and completions on asyncpg and uvloop, as its own command line runs it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from bench.queue.payload import SQL, payload
from bench.queue.peers.contract import PostgresPeer, Put
from bench.queue.record import Record

# may be missing, so the type checker does not look for them
asyncpg: Any = import_module("asyncpg")
pgqueuer: Any = import_module("pgqueuer")
uvloop: Any = import_module("uvloop")

_LOG = "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, aggregated)"


def _body(i: int) -> bytes:
    return json.dumps(payload(i)).encode()


class PgQueuer(PostgresPeer):
    """One manager with one connection, and the default batch of 10."""

    MANAGERS = 1
    UNFINISHED = "SELECT EXISTS (SELECT FROM pgqueuer)"
    DISCARD = ("TRUNCATE pgqueuer",)

    async def empty(self) -> None:
        connection = await asyncpg.connect(self.addresses.owner)
        queries = pgqueuer.Queries.from_asyncpg_connection(connection)
        if await self.sql("SELECT to_regclass('pgqueuer')"):
            await queries.uninstall()
        await queries.install()
        await connection.close()

    @asynccontextmanager
    async def producer(self, clients: int) -> AsyncGenerator[Put]:
        async with asyncpg.create_pool(self.addresses.owner, min_size=clients, max_size=clients) as pool:
            queries = pgqueuer.Queries.from_asyncpg_pool(pool)

            async def put(i: int) -> None:
                await queries.enqueue("bench", _body(i))

            yield put

    async def bulk(self, count: int) -> None:
        connection = await asyncpg.connect(self.addresses.owner)
        queries = pgqueuer.Queries.from_asyncpg_connection(connection)
        for first in range(0, count, 1000):
            bodies = [_body(i) for i in range(first, min(first + 1000, count))]
            await queries.enqueue(["bench"] * len(bodies), bodies, [0] * len(bodies))
        await connection.close()

    async def wait(self, count: int) -> None:
        await self.sql(
            "SET session_replication_role = replica",
            f"""INSERT INTO pgqueuer (priority, status, entrypoint, payload)
            SELECT 0, 'queued', 'bench', convert_to({SQL}::text, 'UTF8') FROM generate_series(0, {count - 1}) AS i""",
            f"{_LOG} SELECT id, 'queued', 0, 'bench', true FROM pgqueuer",
            "RESET session_replication_role",
            "VACUUM ANALYZE pgqueuer, pgqueuer_log",
        )

    async def finish(self, count: int) -> None:
        await self.sql(
            f"""{_LOG} SELECT 1000000000 + i, status::pgqueuer_status, 0, 'bench', true
            FROM generate_series(1, {count}) AS i, unnest(ARRAY['queued', 'picked', 'successful']) AS status""",
            "VACUUM ANALYZE pgqueuer_log",
        )

    def work(self, record: Record) -> None:
        uvloop.run(self._work(record))

    async def _work(self, record: Record) -> None:
        managers = [self._manager(await asyncpg.connect(self.addresses.owner), record) for _ in range(self.MANAGERS)]

        def stop() -> None:
            for manager in managers:
                manager.shutdown.set()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        async with asyncio.TaskGroup() as group:
            for manager in managers:
                group.create_task(manager.run())

    def _manager(self, connection: Any, record: Record) -> Any:
        manager = pgqueuer.PgQueuer.from_asyncpg_connection(connection)

        @manager.entrypoint("bench")
        async def bench(job: Any) -> None:
            record.start(json.loads(job.payload)["i"])

        queries = manager.qm.queries
        queries.dequeue = record.timed(queries.dequeue, len)
        return manager


class FiveManagers(PgQueuer):
    """Five managers with a connection each in one process, as in PgQueuer's own benchmark."""

    MANAGERS = 5
