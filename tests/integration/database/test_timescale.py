"""Messages as a hypertable, on a real TimescaleDB; skipped where there is none."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations import questions
from athenaeum.conversations.archive import attachments, bulk, history
from athenaeum.conversations.archive.indexing import MessageIndexer
from athenaeum.conversations.export import import_export
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.migrate import migrate
from athenaeum.database.roles import APP
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs, PassageId
from athenaeum.domain.passage import Origin, Period
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.envelope import read_envelope
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.rebuild import rebuild
from athenaeum.retrieval import catalogue
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.passages import NewPassage
from athenaeum.slack.incoming import moment
from athenaeum.tenants import register
from support.database import PostgresServer
from support.events import until
from support.slack_events import IDENTITY, Events
from support.slack_export import Export, lantern, said
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
    try:
        return len(owned(url, "SELECT compress_chunk(chunk) FROM show_chunks('slack_message_store') AS chunk"))
    except psycopg.errors.DuplicateObject:  # the policy is at it
        return compress(url)


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


def older() -> Export:
    """The year before the lantern's week, and more of that week: words said, edited and deleted since."""
    root, year = "1704103200.000100", [f"2023-{month:02d}-05" for month in range(1, 13)]
    days = [datetime.fromisoformat(f"{day}T10:00:00+00:00").timestamp() for day in year]
    said_then = {
        f"general/{day}.json": [said(f"{at:.0f}.{n:06d}", "U0001", f"{day} {n}") for n in range(30)]
        for day, at in zip(year, days, strict=True)
    }
    edit = said(root, "U0001", "When is it?", thread_ts=root, edited={"user": "U0001", "ts": "1704106000.000000"})
    gone = said("1704103260.000200", "USLACKBOT", "This message was deleted.", subtype="tombstone", hidden=True)
    late = said("1704103210.000100", "U0001", "While nobody listened.")
    register = {name: value for name, value in lantern().files.items() if "/" not in name}
    return Export({**register, **said_then, "general/2024-01-01.json": [edit, late, gone]})


async def test_history_goes_into_compressed_weeks_and_a_second_time_changes_nothing(
    database_url: str, plain_url: str, tmp_path: Path
) -> None:
    newest, past = lantern().zip(tmp_path / "newest.zip"), older()
    found = list[Picture]()
    for url in (database_url, plain_url):
        async with DatabaseConnection(url, pool_size=2) as database:
            tenant = await register.get(database, DEFAULT_TENANT)
            for path in (newest, past.zip(tmp_path / "past.zip"), past.folder(tmp_path / url[-8:])):
                report = await import_export(database, tenant, path)
                if url == database_url:
                    compress(url)
            assert (report.messages, report.new, report.changed) == (363, 0, 0)
            found.append(await picture(database, DEFAULT_TENANT))

    assert len(owned(database_url, "SELECT show_chunks('slack_message_store')")) == 13
    assert differences(found[1], found[0]) == {}


@pytest.fixture
async def weeks(database_url: str) -> AsyncGenerator[tuple[DatabaseConnection, Tenant, list[MessageTs]]]:
    """A message in each of twelve weeks, all compressed; the last two follow a gap."""
    async with DatabaseConnection(database_url, pool_size=2) as database:
        tenant = await register.bind(database, IDENTITY)
        told = [Events(start=OLD + week * 604_800, count=week * 10) for week in (*range(10), 20, 21)]
        stamps = [MessageTs(events.ts()) for events in told]
        for events, ts in zip(told, stamps, strict=True):
            await Intake(database).take_in(read_envelope(events.message("said", ts=ts)), tenant)
        assert compress(database_url) == len(stamps)
        yield database, tenant, stamps


async def test_what_is_asked_of_a_message_looks_into_its_weeks_alone(
    weeks: tuple[DatabaseConnection, Tenant, list[MessageTs]],
) -> None:
    database, tenant, stamps = weeks
    async with database.session(tenant.id) as session:
        assert [line.ts for line in await history.message(session, PLACE, stamps[-2])] == [stamps[-2]]
        assert await session.scalar(_LOOKED_INTO) == 1
        assert [line.ts for line in await history.recent(session, PLACE, stamps[-1], limit=1)] == [stamps[-2]]
        assert await session.scalar(_LOOKED_INTO) == 2


_LOOKED_INTO = text("""
    SELECT count(*) FROM pg_stat_xact_user_tables
    WHERE schemaname = '_timescaledb_internal' AND relname ~ '_compressed$' AND seq_scan + idx_scan > 0""")
_ASK = text("""
    WITH asked AS (
        INSERT INTO turns (tenant_id, turn_id, surface, channel_id, message_ts, thread_ts, asker_id, question)
        VALUES (athenaeum_tenant(), gen_random_uuid(), 'slack', :channel, :ts, :ts, 'U0001', 'said') RETURNING turn_id)
    INSERT INTO turn_messages (tenant_id, channel_id, message_ts, turn_id, words)
    SELECT athenaeum_tenant(), :channel, :ts, turn_id, 'said' FROM asked""")
# to plan for a chunk takes its lock; ten years have 500
_PLANNED_FOR = text("""
    SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_class ON oid = relation
    WHERE pid = pg_backend_pid() AND relname ~ '^_hyper_.*_chunk$'""")


async def test_what_is_found_and_joined_and_stored_plans_for_its_weeks_alone(
    weeks: tuple[DatabaseConnection, Tenant, list[MessageTs]],
) -> None:
    database, tenant, stamps = weeks
    ts = stamps[4]
    async with database.session(tenant.id) as session:
        index = Index(database, None)
        passage = NewPassage(Origin.MESSAGE, "#here", "said", channel_id=PLACE, written_at=moment(ts))
        await index.put(session, tenant.id, f"slack:{PLACE}:{ts}", [passage])
        found = PassageId(await session.scalar(text("SELECT passage_id FROM passages")) or 0)
        await session.execute(_ASK, {"channel": PLACE, "ts": stamps[-1]})
    batch = bulk.MessageBatch()
    batch.take(said(ts, "U0001", "said otherwise", edited={"user": "U0001", "ts": "1600100000.000000"}), PLACE)
    period = Period(PLACE, moment(ts) - timedelta(seconds=1), moment(ts))
    asks: dict[str, Callable[[AsyncSession], Awaitable[object]]] = {
        "found": lambda session: catalogue.fetch(session, {found: 1.0}),
        "cited": lambda session: catalogue.among(session, [found], (f"SELECT '{PLACE}'", {})),
        "said": lambda session: catalogue.holds(session, period),
        "taken back": lambda session: questions.take_back(session, PLACE, stamps[-1]),
        "with files": lambda session: attachments.standing(session, PLACE, stamps[-1]),
        "stored": lambda session: bulk.store(session, batch),
    }
    planned = dict[str, int | None]()
    for name, ask in asks.items():
        async with database.session(tenant.id) as session:
            await ask(session)
            planned[name] = await session.scalar(_PLANNED_FOR)

    assert planned == dict.fromkeys(asks, 1)


async def test_what_is_said_now_is_indexed_while_weeks_long_past_are_locked(
    weeks: tuple[DatabaseConnection, Tenant, list[MessageTs]],
) -> None:
    database, tenant, _ = weeks

    async def indexed(count: int) -> bool:
        async with database.session(tenant.id) as session:
            return await session.scalar(text("SELECT count(*) FROM passages")) == count

    async with database.session(tenant.id) as session:
        await session.execute(text("UPDATE slack_channels SET name = 'here'"))
    async with MessageIndexer(database, Index(database, None)):
        await until(lambda: indexed(12))
        await Intake(database).take_in(read_envelope(Events(count=900).message("now")), tenant)
        await until(lambda: indexed(13))
        with psycopg.connect(database.url) as owner:
            for (chunk,) in owner.execute("SELECT show_chunks('slack_message_store', older_than => interval '1 year')"):
                owner.execute(f"LOCK TABLE {chunk}".encode())
            await Intake(database).take_in(read_envelope(Events(count=990).message("now")), tenant)
            await until(lambda: indexed(14))


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
