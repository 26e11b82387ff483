"""A channel's id changes: whatever was kept under the old one stands under the new one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql

from athenaeum.conversations.appointments import book
from athenaeum.conversations.appointments.book import Appointment
from athenaeum.conversations.archive import relocation
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, AppointmentId, ChannelId, MessageTs, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.domain.turn import Occasion
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.tenants import register
from support.database import PostgresServer
from support.slack_events import BOT, IDENTITY, Events, Store, take
from support.traffic import settle

OLD, NEW = ChannelId("C0001"), ChannelId("C0002")
AS_THEY_CAME = {"slack_channel_moves", "slack_import_files"}
"""The old ids themselves, and the files of an export, which names its channels as they were."""

_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND (column_name IN ('tenant_id', 'channel_id')
        OR is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER')
"""
_NAMING = """
    SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND column_name = 'channel_id' AND table_type = 'BASE TABLE'
        AND table_name <> 'slack_message_store'  -- TimescaleDB's, moved through its view
"""
_ANY: dict[str, object] = {
    "text": str(OLD),
    "timestamp with time zone": datetime.now(UTC),
    "date": datetime.now(UTC),
    "uuid": DEFAULT_TENANT,
    "jsonb": "{}",
    "interval": "1 second",
    "ARRAY": [],
}


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=2) as opened:
        yield opened


@pytest.fixture
async def tenant(database: DatabaseConnection) -> Tenant:
    bound = await register.bind(database, IDENTITY)
    await settle(database, bound.id)
    return bound


@pytest.fixture
def store(database: DatabaseConnection, tenant: Tenant) -> Store:
    return Store(database, tenant.id)


def _plant(admin: psycopg.Connection, table: str, tenant: Tenant) -> None:
    """A row of the old channel, whatever else the table asks for."""
    checks = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'"
    for (check,) in admin.execute(checks, [table]).fetchall():
        admin.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(table), sql.Identifier(check)))
    row: dict[str, object] = {name: _ANY.get(kind, 1) for name, kind in admin.execute(_COLUMNS, [table])}
    assert row["tenant_id"] == tenant.id
    statement = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}) ON CONFLICT DO NOTHING")
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    values = sql.SQL(", ").join([sql.Placeholder()] * len(row))
    admin.execute(statement.format(sql.Identifier(table), columns, values), list(row.values()))


async def test_no_table_keeps_the_old_id(
    database: DatabaseConnection, tenant: Tenant, store: Store, postgres: PostgresServer, database_url: str
) -> None:
    with psycopg.connect(postgres.admin_url, dbname=urlsplit(database_url).path[1:], autocommit=True) as admin:
        tables = {str(name) for (name,) in admin.execute(_NAMING)}
        admin.execute("SET session_replication_role = replica")  # no foreign keys, no triggers: any row will do
        for table in tables:
            _plant(admin, table, tenant)
    planted = {table for table in tables if await count(store, table, OLD)}

    async with database.session(tenant.id) as session:
        await relocation.relocate(session, tenant.id, OLD, NEW)

    assert planted == tables
    assert {table for table in tables if await count(store, table, OLD)} == AS_THEY_CAME


async def count(store: Store, table: str, channel: ChannelId) -> int:
    [(rows,)] = await store.rows(f"SELECT count(*) FROM {table} WHERE channel_id = :channel", channel=channel)
    return rows


async def test_what_was_set_for_the_new_id_stays(database: DatabaseConnection, tenant: Tenant, store: Store) -> None:
    await store.rows("""
        INSERT INTO helpers (tenant_id, channel_id, helper)
        VALUES (athenaeum_tenant(), 'C0001', 'S0OLD'), (athenaeum_tenant(), 'C0002', 'S0NEW') RETURNING 1""")
    await store.rows("""
        INSERT INTO budgets (tenant_id, scope, subject, dollars)
        VALUES (athenaeum_tenant(), 'channel', 'C0001', 5), (athenaeum_tenant(), 'user', 'C0001', 7) RETURNING 1""")

    async with database.session(tenant.id) as session:
        await relocation.relocate(session, tenant.id, OLD, NEW)

    assert await store.rows("SELECT channel_id, helper FROM helpers") == [("C0002", "S0NEW")]
    assert sorted(await store.rows("SELECT scope, subject FROM budgets")) == [("channel", "C0002"), ("user", "C0001")]


@pytest.mark.parametrize(("told", "deleted"), [(OLD, NEW), (NEW, OLD)])
async def test_a_reaction_told_under_one_id_is_none_to_a_message_deleted_under_the_other(
    database: DatabaseConnection, store: Store, told: ChannelId, deleted: ChannelId
) -> None:
    events, listener = Events(), Listener(database, Intake(database))
    place = {"type": "message", "channel": told, "ts": events.ts()}
    reacted = events.callback({"type": "reaction_added", "user": "U0TOM", "reaction": "tada", "item": place})
    gone = events.deletion(str(place["ts"]))
    moved = events.callback({"type": "channel_id_changed", "old_channel_id": OLD, "new_channel_id": NEW})

    await take(listener, reacted, {**gone, "event": {**gone["event"], "channel": deleted}}, moved)

    assert await store.rows("SELECT * FROM slack_reactions") == []


async def test_a_question_that_was_answered_before_is_not_answered_again(
    database: DatabaseConnection, store: Store
) -> None:
    events, listener = Events(), Listener(database, Intake(database))
    asked: dict[str, Any] = events.mention(f"<@{BOT}> what is a runbook?")
    moved = events.callback({"type": "channel_id_changed", "old_channel_id": OLD, "new_channel_id": NEW})
    await take(listener, asked)
    await store.rows("UPDATE turns SET state = 'delivered', finished_at = now() RETURNING 1")

    await take(listener, moved, asked, {**asked, "event": {**asked["event"], "channel": NEW}})

    assert [turn.channel_id for turn in await store.turns()] == [NEW]


async def test_a_reminder_goes_with_its_message_that_is_deleted_under_the_new_id(
    database: DatabaseConnection, tenant: Tenant, store: Store
) -> None:
    events, listener = Events(), Listener(database, Intake(database))
    asked: dict[str, Any] = events.mention(f"<@{BOT}> remind me tomorrow at 9:00 to sweep")
    moved = events.callback({"type": "channel_id_changed", "old_channel_id": OLD, "new_channel_id": NEW})
    await take(listener, asked)
    [turn] = await store.turns()
    wanted = Appointment(
        *(AppointmentId(turn.turn_id), Occasion.REMINDER, OLD, MessageTs(turn.thread_ts), UserId(turn.asker_id)),
        *("to sweep", None, ZoneInfo("UTC"), datetime.now(UTC) + timedelta(days=1)),
    )
    async with database.session(tenant.id) as session:
        await book.enter(session, tenant.id, wanted)
    gone = events.deletion(str(asked["event"]["ts"]))

    await take(listener, moved, {**gone, "event": {**gone["event"], "channel": NEW}})

    assert await store.rows("SELECT * FROM appointments") == []
    assert await store.rows("SELECT * FROM event_schedules WHERE kind = 'appointment'") == []
