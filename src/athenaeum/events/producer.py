"""Putting events into the queue."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import psycopg
from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import text

from athenaeum.database.connection import notify
from athenaeum.database.link import Link
from athenaeum.domain.identity import EventId
from athenaeum.events.wakeup import CHANNEL, due_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import NewEvent

_NAMES = ("tenant", "kind", "payload", "dedupe_key", "ordering_key", "fair_key", "priority", "delay")
_TYPES = ("uuid", "text", "jsonb", "text", "text", "text", "integer", "interval")
# The payloads come as one document: as an array their quotes would be quoted and read one by one, twenty times slower.
_ARRAYS = ("uuid[]", "text[]", "jsonb", "text[]", "text[]", "text[]", "integer[]", "interval[]")


def _call(function: str, types: Sequence[str], placeholder: str) -> str:
    given = [f"CAST({placeholder.format(name)} AS {of})" for name, of in zip(_NAMES, types, strict=True)]
    return f"{function}({', '.join(given)})"


_ENQUEUE = text(f"SELECT {_call('events_enqueue', _TYPES, ':{}')}")
_ENQUEUE_MANY = text(f"SELECT {_call('events_enqueue_many', _ARRAYS, ':{}')}")
_ALONE = f"SELECT {_call('events_enqueue', _TYPES, '%s')}, pg_notify('athenaeum_events', %s)"
_SAY = "(SELECT count(*) FROM unnest(%s::text[]) AS due, pg_notify('athenaeum_events', due))"
_TOGETHER = f"SELECT {_call('events_enqueue_many', _ARRAYS, '%s')}, {_SAY}"
_BATCH = 1000
"""The most events that tasks enqueue together: such a transaction takes some 30 ms."""


async def enqueue(session: AsyncSession, event: NewEvent) -> EventId | None:
    """Enqueue within the session's transaction: work and event are committed together or not at all.

    Listening workers wake when it commits. A transaction that enqueues under several keys should do so in one
    fixed order, or PostgreSQL may have to break a deadlock between two of them.

    Returns:
        The event's id, or None when its dedupe key is known already.
    """
    values = _values(event, _document([event]))
    found = await session.execute(_ENQUEUE, dict(zip(_NAMES, values, strict=True)))
    event_id: int | None = found.scalar_one()
    if event_id is None:
        return None
    notify(session, CHANNEL, due_in(event.delay))
    return EventId(event_id)


async def enqueue_many(session: AsyncSession, events: Sequence[NewEvent]) -> list[EventId | None]:
    """Enqueue events within the session's transaction, by one statement; as if one by one in their order."""
    if not events:
        return []
    columns = _columns(events, _document(events))
    found = await session.execute(_ENQUEUE_MANY, dict(zip(_NAMES, columns, strict=True)))
    ids: list[EventId | None] = found.scalar_one()
    for delay in {event.delay for event, event_id in zip(events, ids, strict=True) if event_id is not None}:
        notify(session, CHANNEL, due_in(delay))
    return ids


class Producer:
    """Enqueues events that belong to no transaction of the caller's, on a connection of its own.

    What many tasks enqueue at the same time is committed together. Therefore it announces within the transaction,
    which saves a round trip: NOTIFY's lock bounds commits then, not events.

    An async context manager that may be closed twice.
    """

    def __init__(self, database: DatabaseConnection) -> None:
        """Nothing is opened yet."""
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
            psycopg.DataError: PostgreSQL cannot store one of them; none is in the queue.
            TypeError: The payload of one is not JSON.
        """
        request = _Request(events, _document(events))
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
        except (psycopg.DataError, UnicodeError):
            # One of them holds what PostgreSQL cannot store: let each stand for itself.
            for request in batch:
                try:
                    await self._commit([request])
                except (psycopg.Error, OSError, UnicodeError) as error:
                    request.fail(error)
        except (psycopg.Error, OSError) as error:
            for request in batch:
                request.fail(error)
        finally:
            for request in batch:
                if not request.settled:
                    request.fail(psycopg.OperationalError("the task that wrote for this one was cancelled"))

    async def _commit(self, batch: Sequence[_Request]) -> None:
        ids = await self._insert(batch)
        for request in batch:
            request.ids, ids = ids[: len(request.events)], ids[len(request.events) :]
            request.settled = True

    async def _insert(self, batch: Sequence[_Request]) -> list[EventId | None]:
        events = [event for request in batch for event in request.events]
        if not events:
            return []
        document = ",".join(request.document for request in batch if request.events)
        due = [due_in(delay) for delay in {event.delay for event in events}]
        if len(events) == 1:  # twice as fast as an array of one
            [[event_id, _]] = await self._link.fetch(_ALONE, (*_values(events[0], document), *due))
            return [event_id]
        [[ids, _]] = await self._link.fetch(_TOGETHER, (*_columns(events, document), due))
        return ids


@dataclass(slots=True)
class _Request:
    events: Sequence[NewEvent]
    document: str
    ids: list[EventId | None] = field(default_factory=list["EventId | None"])
    error: Exception | None = None
    settled: bool = False

    def fail(self, error: Exception) -> None:
        self.error = error
        self.settled = True


def _document(events: Sequence[NewEvent]) -> str:
    """Their payloads in JSON, with commas between; the standard encoder takes 2 ms longer for a thousand."""
    payloads = [event.payload for event in events]
    try:
        return to_json([payload if isinstance(payload, dict) else dict(payload) for payload in payloads])[1:-1].decode()
    except PydanticSerializationError as error:
        raise TypeError(f"a payload is not JSON: {error}") from error


def _values(event: NewEvent, document: str) -> tuple[Any, ...]:
    return (
        event.tenant,
        event.kind,
        document,
        event.dedupe_key,
        event.ordering_key,
        event.fair_key,
        event.priority,
        event.delay,
    )


def _columns(events: Sequence[NewEvent], document: str) -> tuple[Any, ...]:
    return (
        _shared([event.tenant for event in events]),
        _shared([event.kind for event in events]),
        f"[{document}]",
        _shared([event.dedupe_key for event in events]),
        _shared([event.ordering_key for event in events]),
        _shared([event.fair_key for event in events]),
        _shared([event.priority for event in events]),
        _shared([event.delay for event in events]),
    )


def _shared(column: list[Any]) -> list[Any]:
    """The one value that all share stands for them; psycopg takes 2 ms for five columns of a thousand."""
    return column[:1] if column.count(column[0]) == len(column) else column
