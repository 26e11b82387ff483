"""Which database, and that it stays there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import DBAPIError

from athenaeum.database.connection import DatabaseConnection, libpq_url, retrying, transient
from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.errors import Misconfigured
from athenaeum.wiring.background import beside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from athenaeum.config import Config

log = structlog.get_logger(__name__)

_WATCH_SECONDS = 2.0  # how soon a killed embedded server is brought back
_WAIT_SECONDS = 3.0  # between attempts to reach a database that is away at start


@asynccontextmanager
async def locate_database(config: Config, *, patient: bool = False) -> AsyncGenerator[str]:
    """The address of a database that answers: the configured one, else the embedded one, started if need be.

    Args:
        config: where to look.
        patient: wait for a configured database that is away, saying so, instead of failing.

    Raises:
        Misconfigured: it cannot be reached; the message names the mend.
    """
    if config.database_url is None:
        async with EmbeddedPostgres(config.home_dir) as server, beside(_keep_alive(server)):
            yield server.url
        return
    url = config.database_url.get_secret_value()
    while True:
        try:
            await (_reach(url) if patient else _reach_soon(url))
            break
        except psycopg.OperationalError as error:
            fault = _described(url, error)
            if not patient:
                raise Misconfigured(fault) from error
        log.warning("database.unreachable", reason=fault, retry_in=_WAIT_SECONDS)
        await asyncio.sleep(_WAIT_SECONDS)
    yield url


@asynccontextmanager
async def open_database(config: Config, *, patient: bool = False) -> AsyncGenerator[DatabaseConnection]:
    """The database, reachable and migrated."""
    async with locate_database(config, patient=patient) as url, DatabaseConnection(url) as database:
        await _migrate(database, patient=patient)
        yield database


async def _migrate(database: DatabaseConnection, *, patient: bool) -> None:
    while True:
        try:
            await database.create_tables()
        except (DBAPIError, psycopg.Error) as error:
            if not (patient and transient(error)):
                raise
            fault = error.orig if isinstance(error, DBAPIError) else error
            log.warning("database.unreachable", reason=type(fault).__name__, retry_in=_WAIT_SECONDS)
        else:
            return
        await asyncio.sleep(_WAIT_SECONDS)


async def _keep_alive(server: EmbeddedPostgres) -> None:
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        await server.ensure()


async def _reach_soon(url: str) -> None:
    async for attempt in retrying():
        with attempt:
            await _reach(url)


async def _reach(url: str) -> None:
    try:
        async with await psycopg.AsyncConnection.connect(libpq_url(url), connect_timeout=5):
            pass
    except psycopg.ProgrammingError as error:
        raise Misconfigured(
            "DATABASE_URL cannot be read: give postgresql://user:password@host:5432/name, or unset it"
        ) from error


def _described(url: str, error: psycopg.OperationalError) -> str:
    where = conninfo_to_dict(url)
    place = f"{where.get('host', 'localhost')}:{where.get('port', 5432)}"
    reason = str(error).strip().splitlines()[0]
    return f"cannot reach PostgreSQL at {place}: {reason}; start it, or mend or unset DATABASE_URL"
