"""What a test reads in the database behind the product's back: as a superuser, so that no policy hides anything."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, LiteralString, Self

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

DEADLINE_SECONDS = 90
"""More than a lease, a rescue and a poster's right take together, on a machine with other work."""
_LOOK_SECONDS = 0.05
_OVER = "SELECT FROM turns WHERE finished_at IS NOT NULL AND NOT EXISTS (SELECT FROM queued_events)"
_PARKED = "SELECT FROM approvals WHERE decision IS NULL AND NOT EXISTS (SELECT FROM queued_events)"
_OF_THE_PRODUCT = """
    SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'athenaeum'
"""


class Record:
    """One connection; an async context manager."""

    def __init__(self, url: str) -> None:
        """`url` is a superuser's."""
        self._url = url
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        connect = psycopg.AsyncConnection[dict[str, Any]].connect
        connection = await connect(self._url, autocommit=True, row_factory=dict_row)
        self._connection = await self._stack.enter_async_context(connection)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def rows(self, query: LiteralString) -> list[dict[str, Any]]:
        return await (await self._connection.execute(query)).fetchall()

    async def execute(self, statement: LiteralString) -> None:
        """Do what gives no rows."""
        await self._connection.execute(statement)

    async def insert(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert rows that have the same columns."""
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, rows[0])),
            sql.SQL(", ").join(map(sql.Placeholder, rows[0])),
        )
        async with self._connection.cursor() as cursor:
            await cursor.executemany(statement, rows)

    async def turn_over(self) -> None:
        """Wait until the turn has ended and nothing is left in the queue."""

        async def over() -> bool:
            return bool(await self.rows(_OVER))

        await self._until(over)

    async def parked(self) -> None:
        """Wait until the turn waits for its asker and nothing is left in the queue."""

        async def waits() -> bool:
            return bool(await self.rows(_PARKED))

        await self._until(waits)

    async def listening(self, processes: int) -> None:
        """Wait until so many processes hear of new events."""

        async def listen() -> bool:
            heard = [row["query"] for row in await self.rows(_OF_THE_PRODUCT)]
            return sum(query.startswith("LISTEN athenaeum_events") for query in heard) >= processes

        await self._until(listen)

    async def alone(self) -> None:
        """Wait until the server has noticed that every process is gone: what they had begun is done or undone."""

        async def alone() -> bool:
            return not await self.rows(_OF_THE_PRODUCT)

        await self._until(alone)

    async def expire(self) -> None:
        """Let every lease run out now."""
        await self._connection.execute("UPDATE queued_events SET lease_until = now() - interval '1 second'")

    async def steps(self) -> Counter[str]:
        """The recorded steps by kind: prompt, model, tool."""
        return Counter(_kind(row["name"]) for row in await self.rows("SELECT name FROM steps"))

    @staticmethod
    async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not await condition():  # noqa: ASYNC110 - the server announces none of this
                await asyncio.sleep(_LOOK_SECONDS)


def _kind(step: str) -> str:
    return "model" if "model" in step else "tool" if "tool" in step else step
