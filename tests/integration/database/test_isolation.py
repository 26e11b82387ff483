"""Row-level security over every table that has a tenant, as the roles that the application runs as."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.roles import APP, ENGINE
from athenaeum.domain.identity import DEFAULT_TENANT
from support.database import PostgresServer

OPEN_TO_ENGINE = {
    "tenants",
    "queued_events",
    "event_keys",
    "failed_events",
    "finished_events",
    "events",
    "event_limits",
    "event_schedules",
    "sent_events",
}
"""What the engine's role may read across tenants: the queue and the register, nothing that a person wrote."""

BEHIND_A_VIEW = {"slack_message_store"}
"""With TimescaleDB a view holds its tenants, and the table itself is open to neither role."""

EXTENSIONS = {"pg_stat_statements", "pg_stat_statements_info"}

_TABLES = """
    SELECT c.relname, c.relkind = 'v' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition ORDER BY c.relname
"""
_UNPROTECTED = "SELECT relname FROM pg_class WHERE NOT relrowsecurity AND relkind IN ('r', 'p')"
_PRIVILEGE = "SELECT has_table_privilege(%s, %s, %s)"
_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, NULL), a.atttypmod, t.typtype, t.typcategory
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      AND a.attidentity = '' AND (a.attnotnull AND NOT a.atthasdef OR a.attname = 'tenant_id') ORDER BY a.attnum
"""
REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.WithCheckOptionViolation)
_VALUES: dict[str, LiteralString] = {
    "uuid": "gen_random_uuid()",
    "text": "'a'",
    "timestamp with time zone": "now()",
    "json": "'{}'",
    "jsonb": "'{}'",
    "boolean": "false",
    "bytea": "'\\x00'",
    "text[]": "'{}'",
    "bigint": "(random() * 1e9)::bigint",  # ids of the queue are unique over all tenants
    "integer": "1",
    "smallint": "1",
    "numeric": "1",
    "date": "'2026-11-21'",
    "real": "1",
    "double precision": "1",
    "interval": "interval '1 s'",
    "bigint[]": "'{}'",
    "integer[]": "'{}'",
    "smallint[]": "'{}'",
    "real[]": "'{}'",
}


@dataclass(frozen=True, slots=True)
class Cellar:
    """A database with a row of two tenants in every table; `tables` has views too."""

    database: DatabaseConnection
    planted: tuple[str, ...]
    tables: tuple[str, ...]
    ours: UUID
    theirs: UUID


@pytest.fixture
async def cellar(database_url: str, postgres: PostgresServer) -> AsyncGenerator[Cellar]:
    ours, theirs = DEFAULT_TENANT, uuid4()
    name = urlsplit(database_url).path.lstrip("/")
    with psycopg.connect(postgres.admin_url, dbname=name, autocommit=True) as admin:
        relations = {str(name): bool(view) for name, view in admin.execute(_TABLES)}
        admin.execute("SET session_replication_role = replica")  # no foreign keys, no triggers: any row will do
        planted = tuple(name for name, view in relations.items() if not view)
        for table in planted:
            for tenant in (ours, theirs):
                _plant(admin, table, tenant)
    async with DatabaseConnection(database_url, pool_size=2) as database:
        tables = tuple(name for name in relations if name not in BEHIND_A_VIEW)
        yield Cellar(database, planted, tables, ours, theirs)


def _plant(admin: psycopg.Connection, table: str, tenant: UUID) -> None:
    checks = [
        str(row[0])
        for row in admin.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", [table]
        )
    ]
    for check in checks:
        admin.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(check)))
    columns, values = list[sql.Identifier](), list[sql.Composable]()
    for column, kind, modifier, category, _ in admin.execute(_COLUMNS, [table]):
        columns.append(sql.Identifier(column))
        if column == "tenant_id":
            values.append(sql.Literal(tenant))
        else:
            values.append(_value(admin, kind, modifier, category))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING")
    admin.execute(statement.format(sql.Identifier(table), sql.SQL(", ").join(columns), sql.SQL(", ").join(values)))


def _value(admin: psycopg.Connection, kind: str, modifier: int, category: str) -> sql.Composable:
    if category == "e":
        row = admin.execute(sql.SQL("SELECT (enum_range(NULL::{}))[1]::text").format(sql.Identifier(kind))).fetchone()
        assert row is not None
        return sql.Literal(row[0])
    if kind in {"vector", "halfvec"}:
        return sql.Literal("[" + ",".join(["1"] * max(modifier, 1)) + "]")
    return sql.SQL(_VALUES[kind])


async def _visible(cellar: Cellar, role: str, tenant: str | None) -> dict[str, set[UUID]]:
    """The tenants whose rows a role sees in each table that it may read."""
    seen: dict[str, set[UUID]] = {}
    async with await cellar.database.connect() as connection:
        for table in cellar.tables:
            allowed = await (await connection.execute(_PRIVILEGE, [role, table, "SELECT"])).fetchone()
            if allowed is None or not allowed[0]:
                seen[table] = set()
                continue
            async with connection.transaction():
                await connection.execute("SELECT set_config('role', %s, true)", [role])
                if tenant is not None:
                    await connection.execute("SELECT set_config('app.tenant', %s, true)", [tenant])
                rows = await connection.execute(sql.SQL("SELECT tenant_id FROM {}").format(sql.Identifier(table)))
                seen[table] = {row[0] for row in await rows.fetchall()}
    return seen


async def test_there_is_a_row_of_both_tenants_in_every_table(cellar: Cellar, postgres: PostgresServer) -> None:
    name = urlsplit(cellar.database.url).path.lstrip("/")
    with psycopg.connect(postgres.admin_url, dbname=name) as admin:
        for table in cellar.planted:
            found = admin.execute(sql.SQL("SELECT tenant_id FROM {}").format(sql.Identifier(table))).fetchall()
            assert {row[0] for row in found} >= {cellar.ours, cellar.theirs}, table
    assert len(cellar.tables) >= 15


async def test_the_application_sees_its_own_tenant_in_every_table_and_nothing_else(cellar: Cellar) -> None:
    for tenant in (cellar.ours, cellar.theirs):
        assert await _visible(cellar, APP, str(tenant)) == {table: {tenant} for table in cellar.tables}


@pytest.mark.parametrize("forged", [None, "", str(uuid4())], ids=["none", "empty", "unknown"])
async def test_a_missing_or_forged_tenant_reads_nothing(cellar: Cellar, forged: str | None) -> None:
    assert await _visible(cellar, APP, forged) == {table: set() for table in cellar.tables}


async def test_a_tenant_that_is_no_uuid_is_an_error_and_not_a_way_in(cellar: Cellar) -> None:
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        await _visible(cellar, APP, "x' OR true --")


async def test_the_engine_reads_the_queue_and_the_register_and_nothing_that_a_person_wrote(cellar: Cellar) -> None:
    seen = await _visible(cellar, ENGINE, None)
    assert {table for table, tenants in seen.items() if tenants} <= OPEN_TO_ENGINE
    assert seen["tenants"] == {cellar.ours, cellar.theirs}
    assert seen["slack_messages"] == set()


async def test_the_application_changes_no_row_of_another_tenant(cellar: Cellar) -> None:
    async with await cellar.database.connect() as connection:
        for table in cellar.tables:
            for verb in ("UPDATE", "DELETE"):
                allowed = await (await connection.execute(_PRIVILEGE, [APP, table, verb])).fetchone()
                if allowed is None or not allowed[0]:
                    continue
                change = "UPDATE {} SET tenant_id = tenant_id" if verb == "UPDATE" else "DELETE FROM {}"
                async with connection.transaction(force_rollback=True):
                    await connection.execute(
                        "SELECT set_config('role', %s, true), set_config('app.tenant', %s, true)",
                        [APP, str(cellar.ours)],
                    )
                    changed = await connection.execute(sql.SQL(change).format(sql.Identifier(table)))
                    assert changed.rowcount == 1, (verb, table)


async def test_the_application_cannot_give_a_row_to_another_tenant(cellar: Cellar) -> None:
    async with await cellar.database.connect() as connection:
        for table in cellar.tables:
            allowed = await (await connection.execute(_PRIVILEGE, [APP, table, "UPDATE"])).fetchone()
            if allowed is None or not allowed[0]:
                continue
            with pytest.raises(REFUSED):  # noqa: PT012 - the transaction is part of it
                async with connection.transaction():
                    await connection.execute(
                        "SELECT set_config('role', %s, true), set_config('app.tenant', %s, true)",
                        [APP, str(cellar.ours)],
                    )
                    statement = sql.SQL("UPDATE {} SET tenant_id = {}")
                    await connection.execute(statement.format(sql.Identifier(table), sql.Literal(cellar.theirs)))


async def test_every_table_with_a_tenant_has_its_policy_on(cellar: Cellar) -> None:
    async with await cellar.database.connect() as connection:
        rows = await connection.execute(
            "SELECT relname FROM pg_class WHERE NOT relrowsecurity AND relkind IN ('r', 'p')"
        )
        bare = {row[0] for row in await rows.fetchall()}
    assert bare & set(cellar.tables) == set()


async def test_nothing_without_a_tenant_is_open_to_either_role(cellar: Cellar) -> None:
    relations = """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm')
          AND (has_any_column_privilege(%s, c.oid, 'SELECT') OR has_any_column_privilege(%s, c.oid, 'SELECT'))
    """
    async with await cellar.database.connect() as connection:
        rows = await connection.execute(relations, [APP, ENGINE])
        readable = {row[0] for row in await rows.fetchall()}
    assert readable - EXTENSIONS <= set(cellar.tables)


async def test_neither_role_can_escape_its_policies(cellar: Cellar) -> None:
    async with await cellar.database.connect() as connection:
        rows = await connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles WHERE rolname = ANY(%s)", [[APP, ENGINE]]
        )
        assert {tuple(row) for row in await rows.fetchall()} == {
            (APP, False, False, False),
            (ENGINE, False, False, False),
        }
