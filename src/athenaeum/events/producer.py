"""Putting events into the queue."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import psycopg
from sqlalchemy import text

from athenaeum.database.connection import notify
from athenaeum.domain.identity import EventId
from athenaeum.events.link import Link
from athenaeum.events.wakeup import CHANNEL, due_in

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import NewEvent

_TYPES = ("uuid[]", "text[]", "jsonb[]", "text[]", "text[]", "text[]", "integer[]", "interval[]")
_ENQUEUE = text(
    "SELECT events_enqueue(:tenant, :kind, CAST(:payload AS jsonb), :dedupe_key, :ordering_key, :fair_key,"
    " :priority, :delay)"
)
_NAMES = ("tenant", "kind", "payload", "dedupe_key", "ordering_key", "fair_key", "priority", "delay")
_ARRAYS = [f"CAST(:{name} AS {of})" for name, of in zip(_NAMES, _TYPES, strict=True)]
_ENQUEUE_MANY = text(f"SELECT events_enqueue_many({', '.join(_ARRAYS)})")
_ENQUEUE_ALONE = f"SELECT events_enqueue_many({', '.join(f'%s::{of}' for of in _TYPES)})"
_BATCH = 1000


async def enqueue(session: AsyncSession, event: NewEvent) -> EventId | None:
    """Enqueue within the session's transaction: work and event are committed together or not at all.

    Listening workers wake when it commits. A transaction that enqueues under several keys should do so in one
    fixed order, or PostgreSQL may have to break a deadlock between two of them.

    Returns:
        The event's id, or None when its dedupe key is known already.
    """
    found = await session.execute(_ENQUEUE, dict(zip(_NAMES, _values(event), strict=True)))
    event_id: int | None = found.scalar_one()
    if event_id is None:
        return None
    notify(session, CHANNEL, due_in(event.delay))
    return EventId(event_id)


async def enqueue_many(session: AsyncSession, events: Sequence[NewEvent]) -> list[EventId | None]:
    """Enqueue events within the session's transaction, by one statement; as if one by one in their order."""
    if not events:
        return []
    found = await session.execute(_ENQUEUE_MANY, dict(zip(_NAMES, _columns(events), strict=True)))
    ids: list[EventId | None] = found.scalar_one()
    for delay in _delays(events, ids):
        notify(session, CHANNEL, due_in(delay))
    return ids


class Producer:
    """Enqueues events that belong to no transaction of the caller's, on a connection of its own.

    What many tasks enqueue at the same time is committed together. An async context manager that may be closed twice.
    """

    def __init__(self, database: DatabaseConnection) -> None:
        """Nothing is opened yet."""
        self._database = database
        self._link = Link(database)
        self._waiting: deque[_Request] = deque()
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Return itself; the connection opens on first use."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self._link.close()

    async def enqueue(self, *events: NewEvent) -> list[EventId | None]:
        """Enqueue events in one transaction, which is durable on return; their ids as `enqueue_many` gives them.

        Raises:
            psycopg.OperationalError: The database is away, or was lost before it answered. Whether the events are
                in the queue is unknown: enqueue them again with the same dedupe keys.
        """
        request = _Request(events)
        self._waiting.append(request)
        # Whoever holds the lock writes for all who wait behind him.
        async with self._writing:
            while not request.settled:
                await self._write()
        if request.error is not None:
            raise request.error
        return request.ids

    async def _write(self) -> None:
        batch = [self._waiting.popleft()]
        size = len(batch[0].events)
        while self._waiting and size + len(self._waiting[0].events) <= _BATCH:
            batch.append(self._waiting.popleft())
            size += len(batch[-1].events)
        try:
            await self._commit(batch)
        except psycopg.DataError:
            # One of them holds what PostgreSQL cannot store: let each stand for itself.
            for request in batch:
                try:
                    await self._commit([request])
                except psycopg.Error as error:
                    request.fail(error)
        except (psycopg.Error, OSError) as error:
            for request in batch:
                request.fail(error)
        finally:
            for request in batch:
                if not request.settled:
                    request.fail(psycopg.OperationalError("the task that wrote for this one was cancelled"))

    async def _commit(self, batch: Sequence[_Request]) -> None:
        events = [event for request in batch for event in request.events]
        ids: list[EventId | None] = []
        if events:
            [[ids]] = await self._link.fetch(_ENQUEUE_ALONE, _columns(events))
            for delay in _delays(events, ids):
                self._database.notifier.notify(CHANNEL, due_in(delay))
        for request in batch:
            request.ids, ids = ids[: len(request.events)], ids[len(request.events) :]
            request.settled = True


@dataclass(slots=True)
class _Request:
    events: Sequence[NewEvent]
    ids: list[EventId | None] = field(default_factory=list["EventId | None"])
    error: Exception | None = None
    settled: bool = False

    def fail(self, error: Exception) -> None:
        self.error = error
        self.settled = True


def _values(event: NewEvent) -> tuple[Any, ...]:
    return (
        event.tenant,
        event.kind,
        json.dumps(dict(event.payload)),
        event.dedupe_key,
        event.ordering_key,
        event.fair_key,
        event.priority,
        event.delay,
    )


def _columns(events: Sequence[NewEvent]) -> list[list[Any]]:
    return [list(column) for column in zip(*(_values(event) for event in events), strict=True)]


def _delays(events: Sequence[NewEvent], ids: Sequence[EventId | None]) -> set[timedelta]:
    return {event.delay for event, event_id in zip(events, ids, strict=True) if event_id is not None}
