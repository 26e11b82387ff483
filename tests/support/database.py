"""Databases for tests: one server per test run, a fresh migrated database per test.

The server is the product's embedded PostgreSQL under a temporary home, shared by all xdist workers. Set
ATHENAEUM_TEST_DSN to the libpq URL of a superuser to run on another server (with ATHENAEUM_TEST_TEMPLATE naming a
database that is migrated there), or ATHENAEUM_TEST_TIMESCALE_URL for one with TimescaleDB, in every database. Its
sessions write nothing that must outlive the run, so fsync is off (a killed postmaster loses nothing by that, only a
killed machine does), and its files are in memory where there is room: a database of 900 files took 159 ms to make on a
disk, and 57 ms there. There its files are copied, and not its pages by way of the WAL: 50 ms of CPU instead of 84,
with its end.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.database.migrate import migrate

_HOME = pytest.StashKey[Path]()
_MEMORY = Path("/dev/shm")
_ROOM = 4 << 30  # bytes, for 1 GB of WAL (max_wal_size) and 10 MB for each database
_MIGRATIONS = 7_151  # advisory lock: roles belong to the whole server, so workers migrate one by one


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """The test run's server: `url` is the application's, `admin_url` a superuser's; both name a database."""

    url: str
    admin_url: str
    extensions: tuple[str, ...] = ("vector",)
    """What docs/guides/database.md asks for, and what a run wants besides."""

    def create(self, name: str, *, template: str = "template0") -> str:
        """Create a database of the application's role and give its URL."""
        owner = sql.Identifier(urlsplit(self.url).username or "postgres")
        self._administer(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template), owner
            )
        )
        return _renamed(self.url, name)

    def extend(self, name: str, *extensions: str) -> None:
        """Create extensions in a database, which the application's role may not."""
        with psycopg.connect(_renamed(self.admin_url, name), autocommit=True) as admin:
            for extension in extensions:
                admin.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(extension)))

    def close(self, name: str) -> None:
        """Let nobody connect any more: a database in use is no template, and TimescaleDB's workers use it."""
        database = sql.Identifier(name)
        self._administer(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
        self._administer(
            sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(name)
        )

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(_renamed(self.admin_url, "postgres"), autocommit=True) as connection:
            connection.execute(statement)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the run's home: in the first process, which hands it to xdist's workers."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[_HOME] = Path(
        worker["postgres_home"] if worker else tempfile.mkdtemp(prefix="athenaeum-tests-", dir=_place())
    )


def _place() -> Path | None:
    """Where the home is made; None is the usual place of temporary files."""
    has_room = os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    return _MEMORY if has_room else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker the run's home."""
    node.workerinput["postgres_home"] = str(node.config.stash[_HOME])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the run's home once all workers have gone."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(config.stash[_HOME], ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres(pytestconfig: pytest.Config) -> AsyncGenerator[PostgresServer]:
    """The run's server."""
    if dsn := os.environ.get("ATHENAEUM_TEST_TIMESCALE_URL"):
        yield PostgresServer(url=dsn, admin_url=dsn, extensions=("timescaledb", "vector"))
        return
    if dsn := os.environ.get("ATHENAEUM_TEST_DSN"):
        yield PostgresServer(url=dsn, admin_url=dsn)
        return
    home = pytestconfig.stash[_HOME]
    home.chmod(0o711)  # root's PostgreSQL runs as another user, who must come through
    async with EmbeddedPostgres(home) as server:
        with psycopg.connect(server.superuser_url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET full_page_writes = off")
            connection.execute("SELECT pg_reload_conf()")
        yield PostgresServer(url=server.url, admin_url=server.superuser_url)


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresServer) -> str:
    """A database that all tests of the run share, without our schema; the role is not a superuser."""
    return postgres.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(postgres: PostgresServer) -> AsyncGenerator[str]:
    """The name of a migrated database that nobody connects to, one per worker."""
    if given := os.environ.get("ATHENAEUM_TEST_TEMPLATE"):
        yield given
        return
    name = f"template_{secrets.token_hex(6)}"
    url = postgres.create(name)
    postgres.extend(name, *postgres.extensions, "pg_trgm", "pg_stat_statements")
    with psycopg.connect(_renamed(postgres.admin_url, "postgres"), autocommit=True) as turn:
        turn.execute("SELECT pg_advisory_lock(%s)", [_MIGRATIONS])
        await migrate(url)
    postgres.close(name)
    yield name
    postgres.drop(name)


@pytest.fixture
def empty_database_url(postgres: PostgresServer) -> Generator[str]:
    """A database of this test's own as docs/guides/database.md asks for it, not migrated yet."""
    name = f"test_{secrets.token_hex(6)}"
    url = postgres.create(name)
    postgres.extend(name, *postgres.extensions)
    yield url
    postgres.drop(name)


@pytest.fixture
def database_url(postgres: PostgresServer, template: str) -> Generator[str]:
    """A migrated database of this test's own, for the application's role; dropped afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    yield postgres.create(name, template=template)
    postgres.drop(name)


def _renamed(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()
