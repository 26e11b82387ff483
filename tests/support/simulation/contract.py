"""The same sequence of the product's statements, played against the store and against PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT
from support.simulation.choices import Choices
from support.simulation.network import CALM
from support.simulation.world import virtual_time, world

T = TypeVar("T")
Pass = Callable[[timedelta], Awaitable[None]]
Play = Callable[[Any, Pass], Awaitable[T]]
"""Plays on a database, with something that lets time pass."""
TABLES = ("queued_events", "event_keys", "failed_events", "finished_events", "turns", "deliveries", "slack_messages")
_FORGOTTEN = {"rank", "failed_at", "finished_at", "indexed_at", "metadata", "tag"}
_SHIFT = """
    UPDATE queued_events SET ready_at = ready_at - %(by)s, lease_until = lease_until - %(by)s;
    UPDATE deliveries SET posting_until = posting_until - %(by)s;
    UPDATE approvals SET expires_at = expires_at - %(by)s"""
_CLEAR = f"""
    TRUNCATE {", ".join(TABLES)}, steps, approvals, turn_messages CASCADE;
    ALTER SEQUENCE event_ids RESTART; ALTER SEQUENCE lease_tokens RESTART"""
_PATIENCE = 10.0
_GLANCE = 0.01

Tables = dict[str, list[dict[str, Any]]]


def in_store(play: Play[T]) -> tuple[T, Tables]:
    """What it gives in the model, and what stands in the tables afterwards."""

    async def let_pass(time: timedelta) -> None:
        await asyncio.sleep(time.total_seconds())

    with virtual_time(), world(Choices(script=[]), CALM, 0) as made:
        made.store.tables["tenants"].rows[DEFAULT_TENANT,] = {"tenant_id": DEFAULT_TENANT}
        process = made.start("player", lambda process: play(made.database(process), let_pass))
        task = process.main
        assert task is not None
        assert made.loop.run(task.done, until=1e6), "it waits for ever"
        return task.result(), {table: _plain(made.rows(table)) for table in TABLES}


async def in_postgres(play: Play[T], url: str) -> tuple[T, Tables]:
    """The same of the real one; `url` is that of the tables' owner."""
    async with (
        await psycopg.AsyncConnection[dict[str, Any]].connect(url, autocommit=True, row_factory=dict_row) as owner,
        DatabaseConnection(url) as database,
    ):
        for statement in _CLEAR.split(";"):
            await owner.execute(statement.encode())

        async def let_pass(time: timedelta) -> None:
            for statement in _SHIFT.split(";"):
                await owner.execute(statement.encode(), {"by": time})

        result = await play(database, let_pass)
        tables: Tables = {}
        for table in TABLES:
            tables[table] = _plain(await (await owner.execute(f"SELECT * FROM {table}".encode())).fetchall())
        return result, tables


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what differs by nature: of moments only whether there is one."""
    plain = [{name: known(value) for name, value in row.items() if name not in _FORGOTTEN} for row in rows]
    return sorted(plain, key=str)


def known(value: Any) -> Any:
    """A value; of a moment only that it is one."""
    return "a moment" if isinstance(value, datetime) else value


async def side_by_side(
    session: AbstractAsyncContextManager[Any],
    first: Callable[[Any], Awaitable[Any]],
    second: Callable[[], Awaitable[T]],
    is_stuck: Callable[[], Awaitable[bool]],
) -> tuple[bool, T]:
    """Let `second` run while the session in which `first` did its work is open; whether it waited, and what it gave."""
    async with session as opened:
        await first(opened)
        task = asyncio.ensure_future(second())
        async with asyncio.timeout(_PATIENCE):
            while not task.done() and not await is_stuck():  # noqa: ASYNC110 - nobody tells of a wait
                await asyncio.sleep(_GLANCE)
        waited = not task.done()
    return waited, await task


async def stuck_in_store() -> bool:
    """In the model whatever does not wait has ended by now."""
    await asyncio.sleep(1)
    return True


def stuck_in_postgres(url: str) -> Callable[[], Awaitable[bool]]:
    """Whether a session waits for a lock."""

    async def is_stuck() -> bool:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as looking:
            found = await looking.execute(
                "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
                " AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database()))"
            )
            return bool((await found.fetchone() or (False,))[0])

    return is_stuck
