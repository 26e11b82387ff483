"""A connection of one's own that comes back after a loss."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import psycopg

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection

LOSSES = (psycopg.OperationalError, psycopg.InterfaceError, OSError)
"""What `fetch` raises when the database is away; the next call connects again."""


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
            connection = self._connection or await self._open()
            try:
                with _deadline(connection, self._patience):
                    cursor = await connection.execute(statement.encode(), parameters, prepare=True)
                    return await cursor.fetchall()
            except LOSSES:
                if connection.closed:
                    await self.close()
                raise

    async def close(self) -> None:
        """Close the connection; harmless when repeated."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        async with asyncio.timeout(self._patience):
            connection = await self._database.connect()
        if self._prelude is not None:
            await connection.execute(self._prelude.encode())
        self._connection = connection
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
