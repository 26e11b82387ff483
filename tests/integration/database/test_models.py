"""The models against the migrations, and the migrations against themselves."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.schema import SchemaItem

from athenaeum import database
from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.database.migrate import migrate, newest, pending
from athenaeum.database.models import Base
from athenaeum.database.roles import APP, ENGINE
from support.database import PostgresServer

ROUNDS = 4
of_tables = pytest.mark.skipif(
    bool(os.environ.get("ATHENAEUM_TEST_TIMESCALE_URL")), reason="a view stands for slack_messages there"
)
COMMENTS = {"remove_table_comment", "modify_comment"}
"""What the migrations say in the database, the models say in their docstrings."""
_SCHEMA = """
    SELECT 'column', table_name, column_name, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'policy', tablename, policyname, roles::text, qual, with_check FROM pg_policies
    UNION ALL SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proacl::text, '', ''
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL SELECT 'grant', relname, relkind::text, relacl::text, '', ''
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
    ORDER BY 1, 2, 3, 4
"""


@contextmanager
def _connected(url: str) -> Generator[Connection]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _alembic(connection: Connection) -> AlembicConfig:
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(database.__path__[0]) / "migrations"))
    settings.attributes["connection"] = connection
    return settings


def _has_a_model(name: str | None, kind: str, _parents: Mapping[str, str | None]) -> bool:
    return kind != "table" or name in Base.metadata.tables


def _is_a_column(_item: SchemaItem, _name: str | None, kind: str, _reflected: bool, _other: SchemaItem | None) -> bool:
    # indexes, unique keys and what follows a deletion are the migrations' alone: no query is built on them
    return kind in {"table", "column"}


def _flat(differences: Sequence[Any]) -> list[tuple[Any, ...]]:
    # alembic gives the changes of one column as a list, and everything else as a tuple
    return [found for entry in differences for found in (entry if isinstance(entry, list) else [entry])]


def _schema(url: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(_SCHEMA).fetchall()


@of_tables
def test_every_model_is_its_table_column_by_column(database_url: str) -> None:
    with _connected(database_url) as connection:
        options = {"compare_type": True, "include_name": _has_a_model, "include_object": _is_a_column}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)

    assert [found for found in _flat(differences) if found[0] not in COMMENTS] == []


@of_tables
def test_every_model_names_its_tables_primary_key(database_url: str) -> None:
    with _connected(database_url) as connection:
        look = inspect(connection)
        keys = {name: look.get_pk_constraint(name)["constrained_columns"] for name in Base.metadata.tables}

    assert {name: [column.name for column in table.primary_key] for name, table in Base.metadata.tables.items()} == keys


@of_tables
def test_a_model_has_a_default_where_its_column_has_one(database_url: str) -> None:
    with _connected(database_url) as connection:
        look = inspect(connection)
        filled = {
            (name, column["name"])
            for name in Base.metadata.tables
            for column in look.get_columns(name)
            if column["default"] is not None
        }
    declared = {
        (name, column.name)
        for name, table in Base.metadata.tables.items()
        for column in table.columns
        if column.server_default is not None
    }

    assert declared == filled


async def test_an_empty_database_goes_up_down_and_up_to_the_same_schema(empty_database_url: str) -> None:
    await migrate(empty_database_url)
    first = _schema(empty_database_url)

    with _connected(empty_database_url) as connection:
        command.downgrade(_alembic(connection), "base")
        left = set(inspect(connection).get_table_names()) - {"alembic_version"}
    await migrate(empty_database_url)

    assert left == set()
    assert _schema(empty_database_url) == first


async def test_each_revision_can_be_taken_back_alone(empty_database_url: str) -> None:
    revisions = await pending(empty_database_url)
    await migrate(empty_database_url)
    newest = _schema(empty_database_url)

    with _connected(empty_database_url) as connection:
        for revision in [*revisions[-2::-1], "base"]:
            command.downgrade(_alembic(connection), revision)
            below = _schema_of(connection)
            command.upgrade(_alembic(connection), "+1")
            command.downgrade(_alembic(connection), revision)
            assert _schema_of(connection) == below
    await migrate(empty_database_url)

    assert _schema(empty_database_url) == newest


def _schema_of(connection: Connection) -> list[Any]:
    rows = list(connection.exec_driver_sql(_SCHEMA))
    connection.rollback()
    return rows


async def test_the_newest_schema_is_known_without_alembic(empty_database_url: str) -> None:
    assert (await pending(empty_database_url))[-1] == newest()


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    before = _schema(database_url)

    await migrate(database_url)

    assert await pending(database_url) == []
    assert _schema(database_url) == before


async def test_one_database_is_migrated_once_by_many_at_a_time(empty_database_url: str) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(migrate(empty_database_url))

    assert await pending(empty_database_url) == []


async def test_one_process_migrates_two_databases_at_a_time(postgres: PostgresServer) -> None:
    for _ in range(ROUNDS):
        with _two_databases(postgres) as urls:
            async with asyncio.TaskGroup() as group:
                for url in urls:
                    group.create_task(migrate(url))

            assert [await pending(url) for url in urls] == [[], []]


async def test_two_processes_do_not_race_for_the_roles_of_one_server(home: Path) -> None:
    async with EmbeddedPostgres(home) as server, AsyncExitStack() as stack:
        postgres = PostgresServer(url=server.url, admin_url=server.superuser_url)
        migrators = [await stack.enter_async_context(_migrator()) for _ in range(2)]
        for _ in range(ROUNDS):
            with _two_databases(postgres) as urls:
                for migrator, url in zip(migrators, urls, strict=True):
                    assert migrator.stdin is not None
                    migrator.stdin.write(f"{url}\n".encode())
                outcomes = [await _outcome(migrator) for migrator in migrators]
                assert outcomes == ["migrated", "migrated"]
            with psycopg.connect(server.superuser_url, autocommit=True) as administrator:
                administrator.execute(f"DROP ROLE {APP}, {ENGINE}")  # pyright: ignore[reportArgumentType] - our own names


@contextmanager
def _two_databases(postgres: PostgresServer) -> Generator[list[str]]:
    names = [f"test_{secrets.token_hex(6)}" for _ in range(2)]
    urls = [postgres.create(name) for name in names]
    for name in names:
        postgres.extend(name, "vector")
    yield urls
    for name in names:
        postgres.drop(name)


_MIGRATOR = """
import asyncio, sys
from athenaeum.database.migrate import migrate
for line in sys.stdin:
    asyncio.run(migrate(line.strip()))
    print("migrated", flush=True)
"""


@asynccontextmanager
async def _migrator() -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _MIGRATOR),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(20):
            await process.communicate()


async def _outcome(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while (line := (await process.stdout.readline()).decode()) and "database.migrated" in line:
            pass  # the log's line
    return line.strip()
