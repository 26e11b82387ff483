"""Messages as a hypertable, on a real TimescaleDB; skipped where there is none."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from athenaeum.conversations.archive import history
from athenaeum.conversations.export import import_export
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.migrate import migrate
from athenaeum.database.roles import APP
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.envelope import read_envelope
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.rebuild import rebuild
from athenaeum.tenants import register
from support.database import PostgresServer
from support.slack_events import IDENTITY, Events
from support.slack_export import lantern
from support.traffic import Picture, differences, picture

pytestmark = [
    pytest.mark.timescaledb,
    pytest.mark.skipif(
        not os.environ.get("ATHENAEUM_TEST_TIMESCALE_URL"), reason="ATHENAEUM_TEST_TIMESCALE_URL is not set"
    ),
]
PLACE = ChannelId("C0001")
OLD = 1_600_000_000.0  # seconds; its chunk is compressed long ago


@pytest.fixture
async def plain_url(postgres: PostgresServer) -> AsyncGenerator[str]:
    """A database of the same server, without the extension."""
    name = f"test_{secrets.token_hex(6)}"
    url = postgres.create(name)
    postgres.extend(name, "vector")
    await migrate(url)
    yield url
    postgres.drop(name)


def owned(url: str, statement: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Ask as the owner of the tables."""
    with psycopg.connect(url, autocommit=True) as owner:
        return owner.execute(statement.encode(), parameters).fetchall()


def compress(url: str) -> int:
    """What the policy does in its time; the number of chunks that are compressed now."""
    return len(owned(url, "SELECT compress_chunk(chunk) FROM show_chunks('slack_message_store') AS chunk"))


def test_messages_are_a_hypertable_of_seven_days_compressed_after_45(database_url: str) -> None:
    chunks = owned(
        database_url,
        "SELECT column_name, time_interval = '7 days' FROM timescaledb_information.dimensions"
        " WHERE hypertable_name = 'slack_message_store'",
    )
    policies = owned(
        database_url,
        "SELECT config ->> 'compress_after' FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'",
    )

    assert (chunks, policies) == ([("sent_at", True)], [("45 days",)])


async def test_the_rows_are_those_of_a_plain_table_to_the_microsecond(
    database_url: str, plain_url: str, tmp_path: Path
) -> None:
    export = lantern().zip(tmp_path / "export.zip")
    found = list[Picture]()
    for url in (database_url, plain_url):
        async with DatabaseConnection(url, pool_size=2) as database:
            for _ in range(2):
                await import_export(database, await register.get(database, DEFAULT_TENANT), export)
            if url == database_url:
                assert compress(url) == 1
            found.append(await picture(database, DEFAULT_TENANT))

    assert differences(found[1], found[0]) == {}


async def changed(url: str, *, compressed: bool) -> dict[str, Picture]:
    """The archive after each kind of late change, the chunks compressed before each of them or never."""
    found = dict[str, Picture]()
    async with DatabaseConnection(url, pool_size=2) as database:
        tenant, events = await register.bind(database, IDENTITY), Events(start=OLD)

        async def look(name: str) -> None:
            found[name] = await picture(database, tenant.id)
            if compressed:
                compress(url)

        async def tell(*told: dict[str, Any]) -> None:
            for body in told:
                await Intake(database).take_in(read_envelope(body), tenant)

        stamps = [events.ts() for _ in range(40)]
        await tell(*(events.message(f"number {number}", ts=ts) for number, ts in enumerate(stamps[1:])))
        await look("said")
        await tell(events.edit("something else", stamps[1]), events.deletion(stamps[2]))
        await look("edited and deleted")
        await tell(events.message("late", ts=stamps[0]), events.message("again", ts=stamps[2]))
        await look("late and again")
        await tell(events.callback({"type": "channel_id_changed", "old_channel_id": "C0001", "new_channel_id": "C9"}))
        await look("moved")
        await rebuild(database, tenant, lambda _done, _total: None)
        await look("rebuilt")
    return found


async def test_what_comes_late_changes_a_compressed_chunk_as_it_changes_a_plain_table(
    database_url: str, plain_url: str
) -> None:
    compressed, plain = await changed(database_url, compressed=True), await changed(plain_url, compressed=False)

    assert {name: differences(plain[name], compressed[name]) for name in plain} == {name: {} for name in plain}


async def test_what_is_asked_of_a_message_looks_into_its_weeks_alone(database_url: str) -> None:
    weeks = [Events(start=OLD + week * 604_800) for week in (0, 20, 21)]
    async with DatabaseConnection(database_url, pool_size=2) as database:
        tenant = await register.bind(database, IDENTITY)
        stamps = [MessageTs(events.ts()) for events in weeks]
        for events, ts in zip(weeks, stamps, strict=True):
            events.count += int(events.start)  # ids of its own
            await Intake(database).take_in(read_envelope(events.message("said", ts=ts)), tenant)
        assert compress(database_url) == 3
        async with database.session(tenant.id) as session:
            assert [line.ts for line in await history.message(session, PLACE, stamps[1])] == [stamps[1]]
            assert await session.scalar(_LOOKED_INTO) == 1
            assert [line.ts for line in await history.recent(session, PLACE, stamps[2], limit=1)] == [stamps[1]]
            assert await session.scalar(_LOOKED_INTO) == 2


_LOOKED_INTO = text("""
    SELECT count(*) FROM pg_stat_xact_user_tables
    WHERE schemaname = '_timescaledb_internal' AND relname ~ '_compressed$' AND seq_scan + idx_scan > 0""")


async def two_tenants(database: DatabaseConnection) -> tuple[Tenant, Tenant]:
    """Each with an old message in a compressed chunk."""
    ours = await register.bind(database, IDENTITY)
    theirs = await register.bind(database, replace(IDENTITY, team_id="T0002"))
    for tenant in (ours, theirs):
        body = Events(start=OLD).message(f"of {tenant.team_id}") | {"team_id": tenant.team_id}
        await Intake(database).take_in(read_envelope(body), tenant)
    assert compress(database.url) == 1
    return ours, theirs


async def test_neither_a_chunk_nor_the_table_is_open_to_the_applications_role(database_url: str) -> None:
    async with DatabaseConnection(database_url, pool_size=2) as database:
        ours, theirs = await two_tenants(database)
        seen = [set((await picture(database, tenant.id))["slack_messages"]) for tenant in (ours, theirs)]
    stores = """
        SELECT c.oid FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relkind = 'r' AND (c.relnamespace = '_timescaledb_internal'::regnamespace OR relname ~ '_store$')"""
    opened = owned(
        database_url,
        f"SELECT oid::regclass FROM ({stores}) AS s WHERE has_any_column_privilege(%(role)s, oid, 'SELECT, UPDATE')",
        {"role": APP},
    )

    assert len(owned(database_url, stores)) >= 3
    assert opened == []
    assert [len(messages) for messages in seen] == [1, 1]
    assert seen[0].isdisjoint(seen[1])


async def test_a_purge_takes_a_tenant_out_of_compressed_chunks_and_no_other(database_url: str) -> None:
    async with DatabaseConnection(database_url, pool_size=2) as database:
        ours, theirs = await two_tenants(database)
        async with database.session() as session:
            await register.disable(session, ours.id, "left")
        await register.purge(database, ours.id)

    assert owned(database_url, "SELECT tenant_id FROM slack_message_store") == [(theirs.id,)]
