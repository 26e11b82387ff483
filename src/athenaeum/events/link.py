"""A connection of one's own that comes back after a loss."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import psycopg

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection

FAULTS = (psycopg.Error, OSError)
"""What a database that is away, full, restarting or broken makes its callers see. Those who must not die of it wait."""


class Backoff:
    """Growing waits between attempts: 0.1 s at first, 5 s at most, with jitter."""

    def __init__(self) -> None:
        """Begin with the shortest wait."""
        self._wait = _SHORTEST

    def next(self) -> timedelta:
        """How long to wait now."""
        wait, self._wait = self._wait, min(self._wait * 2, _LONGEST)
        return wait * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, no secret

    def reset(self) -> None:
        """The last attempt went well."""
        self._wait = _SHORTEST


_SHORTEST = timedelta(milliseconds=100)
_LONGEST = timedelta(seconds=5)


class Link:
    """One connection in autocommit, opened when it is first needed and again after a loss.

    An async context manager that may be closed twice. Calls from several tasks take turns.
    """

    def __init__(
        self, database: DatabaseConnection, *, patience: timedelta = timedelta(seconds=15), prelude: str | None = None
    ) -> None:
        """A statement that takes longer than `patience` counts as a loss; `prelude` opens each connection."""
        self._database = database
        self._patience = patience.total_seconds()
        self._prelude = prelude
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Return itself; the connection opens on first use."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self.close()

    async def fetch(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """The rows of one statement, which is its own transaction.

        Raises:
            psycopg.OperationalError: The connection could not be opened, was lost or took too long: whether the
                statement took effect is unknown.
        """
        async with self._turn:
            try:
                connection = self._connection or await self._open()
                with _deadline(connection, self._patience):
                    cursor = await connection.execute(statement.encode(), parameters, prepare=True)
                    return await cursor.fetchall()
            except FAULTS:
                if self._connection is not None and self._connection.closed:
                    await self.close()
                raise

    async def close(self) -> None:
        """Close the connection; harmless when repeated."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        async with asyncio.timeout(self._patience):
            connection = self._connection = await self._database.connect()
            if self._prelude is not None:
                await connection.execute(self._prelude.encode())
        return connection


@contextmanager
def _deadline(connection: psycopg.AsyncConnection[Any], seconds: float) -> Generator[None]:
    """Cut the connection when the block takes longer.

    Cancelling the call instead asks the server to cancel, and waits for it: 18 s were measured where the
    network swallowed everything.
    """
    timer = asyncio.get_running_loop().call_later(seconds, _cut, connection)
    try:
        yield
    finally:
        timer.cancel()


def _cut(connection: psycopg.AsyncConnection[Any]) -> None:
    with socket.socket(fileno=os.dup(connection.fileno())) as shared:
        shared.shutdown(socket.SHUT_RDWR)
