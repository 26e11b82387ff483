"""A connection of one's own that comes back after a loss."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import psycopg

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.database.wire import Wire

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

    def __init__(self, database: DatabaseConnection, *, patience: timedelta = timedelta(seconds=15)) -> None:
        """A statement that takes longer than `patience` counts as a loss."""
        self._database = database
        self._patience = patience
        self._connection: Wire | None = None
        self._turn = asyncio.Lock()
        self._closes = 0

    async def __aenter__(self) -> Self:
        """Return itself; the connection opens on first use."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self.close()

    async def open(self) -> None:
        """Open the connection now, if it is not open.

        Raises:
            psycopg.OperationalError: It could not be opened.
        """
        async with self._turn:
            if self._connection is None:
                await self._open()

    async def fetch(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """The rows of one statement, which is its own transaction.

        Raises:
            psycopg.OperationalError: The connection could not be opened, was lost or took too long: whether the
                statement took effect is unknown.
        """
        async with self._turn:
            try:
                connection = self._connection or await self._open()
                cursor = await connection.execute(statement.encode(), parameters, prepare=not connection.pooled)
                return await cursor.fetchall()
            except FAULTS:
                if self._connection is not None and self._connection.closed:
                    await self.close()
                raise

    async def close(self) -> None:
        """Close the connection; harmless when repeated."""
        self._closes += 1
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> Wire:
        closes = self._closes
        connection = await self._database.connect(patience=self._patience)
        if closes != self._closes:  # nobody would close it
            await connection.close()
            raise psycopg.OperationalError("the connection was closed while it was opened")
        self._connection = connection
        return connection
