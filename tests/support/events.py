"""Hands on a queue: short names for what tests of it do all the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Self

import psycopg

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.link import Link
from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, EventId, TenantId
from athenaeum.events import admin, enqueue, queue

MINUTE = timedelta(minutes=1)
NOTHING = timedelta(0)


class Queue:
    """One link to the queue of a database, and shortcuts around it."""

    def __init__(self, database: DatabaseConnection) -> None:
        self.database = database
        self.link = Link(database)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.link.close()

    async def put(
        self, n: int = 0, *, tenant: TenantId = DEFAULT_TENANT, kind: str = "test", **options: Any
    ) -> EventId:
        """Enqueue one event with the payload {"n": n}, as the tenant; fails when it is a duplicate."""
        async with self.database.session(tenant) as session:
            event_id = await enqueue(session, NewEvent(kind, {"n": n}, tenant, **options))
        assert event_id is not None
        return event_id

    async def claim(self, limit: int = 100, *, worker: str = "test", lease: timedelta = MINUTE) -> list[Event]:
        return await queue.claim(self.link, worker, limit=limit, lease=lease)

    async def claim_one(self, *, lease: timedelta = MINUTE) -> Event:
        [event] = await self.claim(1, lease=lease)
        return event

    async def show(self, event_id: EventId) -> admin.EventRecord:
        async with self.database.session() as session:
            return await admin.show(session, event_id)

    async def stats(self) -> dict[str, int]:
        async with self.database.session() as session:
            return {status.value: count for status, count in (await admin.stats(session)).items()}

    async def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """A statement of the test's own, as the engine's role."""
        return await self.link.fetch(statement, parameters)


async def until(condition: Callable[[], Awaitable[bool] | bool], *, seconds: float = 30) -> None:
    """Look until the condition holds; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.02)


async def listening(events: Queue, count: int = 1) -> None:
    """Wait until so many processes listen to the queue."""
    # not as the engine's role, to which the queries of other sessions are hidden
    async with await psycopg.AsyncConnection.connect(events.database.url, autocommit=True) as owner:

        async def listen() -> bool:
            found = await owner.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
            )
            return await found.fetchone() == (count,)

        await until(listen)


async def waits_for_a_lock(events: Queue, task: asyncio.Task[Any]) -> None:
    """Wait until a session of this database waits for a lock, or the task that could make it wait is done."""
    async with Queue(events.database) as watcher:

        async def waiting() -> bool:
            return task.done() or await watcher.sql(_WAITING) != [(0,)]

        await until(waiting)


_WAITING = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()
"""
