"""What a peer has to provide. It is measured through these calls, each from outside the worker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Self

import psycopg
from bench.queue.record import Record

SLOTS = 10
"""How many events a worker has in hand at once."""

Put = Callable[[int], Awaitable[None]]
"""Enqueues event `i`; returns when it is committed, or, for Redis, taken."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers are; `owner` may do everything in the scratch database, `redis` is empty when there is none."""

    database: str
    owner: str
    redis: str


class Peer(ABC):
    """One queue in its scratch database; an async context manager."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    @abstractmethod
    async def empty(self) -> None:
        """Make the queue's tables anew, without an event in them."""

    @abstractmethod
    def producer(self, clients: int) -> AbstractAsyncContextManager[Put]:
        """An open producer which so many tasks may use at once."""

    @abstractmethod
    async def bulk(self, count: int) -> None:
        """Enqueue events 0 to `count` - 1 in the fastest way that the peer's documentation gives, 1,000 at a time."""

    @abstractmethod
    async def wait(self, count: int) -> None:
        """Let events 0 to `count` - 1 wait, as enqueueing them leaves them."""

    @abstractmethod
    async def finish(self, count: int) -> None:
        """Have so many events behind it, as finishing them leaves them."""

    @abstractmethod
    async def discard(self) -> None:
        """Take out what waits, with its dedupe keys, and leave what was behind the queue before."""

    @abstractmethod
    async def unfinished(self) -> bool:
        """Whether there is any event whose end is not durable."""

    @abstractmethod
    def work(self, record: Record) -> None:
        """Be a worker until SIGTERM, in the main thread of a process of its own."""


class PostgresPeer(Peer):
    """One on PostgreSQL, with a connection for what is no part of the measurement."""

    UNFINISHED = ""
    """Gives one boolean."""
    DISCARD: tuple[str, ...] = ()

    async def __aenter__(self) -> Self:
        self._connection: psycopg.AsyncConnection[Any] = await psycopg.AsyncConnection.connect(
            self.addresses.owner, autocommit=True
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    async def sql(self, *statements: str) -> Any:
        """Run statements, each a transaction; the first value that the last one gives, if it gives any."""
        cursor = None
        for statement in statements:
            cursor = await self._connection.execute(statement.encode())
        if cursor is None or cursor.description is None:
            return None
        row = await cursor.fetchone()
        return row[0] if row else None

    async def discard(self) -> None:
        await self.sql(*self.DISCARD)

    async def unfinished(self) -> bool:
        return await self.sql(self.UNFINISHED)
