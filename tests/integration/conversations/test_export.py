"""Slack's exports, read into a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from athenaeum.conversations import archive
from athenaeum.conversations.archive import reactions, read_message
from athenaeum.conversations.archive.reactions import Reaction
from athenaeum.conversations.export import Advance, import_export, importer
from athenaeum.conversations.export.container import open_export
from athenaeum.conversations.export.records import Records
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.errors import Misconfigured
from athenaeum.tenants import register
from support.slack_events import IDENTITY, Store
from support.slack_export import TOKEN, Export, channel, lantern, said, user

TABLES = (
    "slack_users",
    "slack_channels",
    "slack_members",
    "slack_messages",
    "slack_message_versions",
    "slack_reactions",
    "slack_events",
    "slack_import_files",
    "slack_quarantine",
)
FREEZE = MessageTs("1704103200.000100")
GENERAL = ChannelId("C0001")
LATER = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
async def tenant(database: DatabaseConnection) -> Tenant:
    """A tenant that was never connected: its archive is what was imported."""
    return await register.get(database, DEFAULT_TENANT)


async def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All that is stored, but when."""
    return {
        table: sorted(await store.rows(f"SELECT (to_jsonb(t) - 'received_at')::text FROM {table} AS t"))
        for table in TABLES
    }


async def texts(store: Store) -> dict[tuple[str, str], str]:
    return {(message.channel_id, message.ts): message.text for message in await store.messages()}


async def test_messages_come_with_threads_edits_reactions_and_files(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    report = await import_export(database, tenant, lantern().zip(tmp_path / "export.zip"))

    assert (report.messages, report.new, report.changed, report.quarantined) == (12, 11, 0, 0)
    root, reply, edited, _, bot, file, *_ = [m for m in await store.messages() if m.channel_id == GENERAL]
    assert (root.text, root.thread_ts, root.sent_at.microsecond) == ("When is the freeze? 🧊", FREEZE, 100)
    assert (reply.thread_ts, reply.user_id) == (FREEZE, "U0002")
    assert edited.edited_at == datetime(2024, 1, 1, 10, 3, 20, tzinfo=UTC)
    assert (bot.bot_id, bot.user_id) == ("B0001", None)
    assert file.metadata_["files"][0]["name"] == "The plan"
    async with database.session(tenant.id) as session:
        assert await reactions.standing(session, GENERAL, FREEZE) == [
            Reaction(UserId("U0002"), "eyes"),
            Reaction(UserId("U0003"), "eyes"),
        ]


async def test_who_may_read_follows_from_the_index_that_lists_a_conversation(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    report = await import_export(database, tenant, lantern().zip(tmp_path / "export.zip"))

    assert report.conversations == {
        ChannelKind.PUBLIC: 2,
        ChannelKind.PRIVATE: 1,
        ChannelKind.DIRECT: 1,
        ChannelKind.GROUP: 1,
    }
    kinds = dict(await store.rows("SELECT channel_id, kind FROM slack_channels"))
    assert kinds == {"C0001": "public", "C0002": "public", "G0001": "private", "D0001": "im", "G0002": "mpim"}
    members = await store.rows("SELECT user_id FROM slack_members WHERE channel_id = 'G0001'")
    assert members == [("U0001",)]
    people = {name: rest for name, *rest in await store.rows("SELECT name, is_guest, is_deleted FROM slack_users")}
    assert (people["tom"], people["vera"], people[""]) == ([False, True], [True, False], [True, False])


async def test_members_that_are_not_listed_stay_unknown(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    export = lantern()
    export.files["groups.json"] = [channel("G0001", "secret", None)]
    await import_export(database, tenant, export.folder(tmp_path / "export"))

    unknown = "SELECT channel_id FROM slack_channels WHERE members_read_at IS NULL"
    assert await store.rows(unknown) == [("G0001",)]


@pytest.mark.parametrize("below", ["", "Lantern export Jan 1 2024/"])
async def test_a_zip_and_its_folder_say_the_same(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path, below: str
) -> None:
    await import_export(database, tenant, lantern().folder(tmp_path / "export"))
    from_folder = await contents(store)
    again = await import_export(database, tenant, lantern().zip(tmp_path / "export.zip", below=below))

    assert (again.files, again.new, again.changed) == (6, 0, 0)
    del from_folder["slack_import_files"]
    assert {name: rows for name, rows in (await contents(store)).items() if name in from_folder} == from_folder


async def test_a_second_import_reads_nothing_and_changes_nothing(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    path = lantern().zip(tmp_path / "export.zip")
    await import_export(database, tenant, path)
    before = await contents(store)
    again = await import_export(database, tenant, path)

    assert (again.files, again.files_known, again.new, again.changed) == (0, 6, 0, 0)
    assert await contents(store) == before


async def test_what_is_read_again_changes_nothing(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    path = lantern().zip(tmp_path / "export.zip")
    await import_export(database, tenant, path)
    before = await contents(store)
    await store.rows("DELETE FROM slack_import_files RETURNING true")
    again = await import_export(database, tenant, path)

    assert (again.files, again.new, again.changed) == (6, 0, 0)
    assert await contents(store) == before


async def test_a_killed_import_goes_on_where_it_was(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lantern().zip(tmp_path / "export.zip")
    monkeypatch.setattr(importer, "BATCH", 2)

    def die(advance: Advance) -> None:
        if advance.messages >= 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await import_export(database, tenant, path, on_advance=die)
    assert 0 < len(await store.messages()) < 12
    resumed = await import_export(database, tenant, path)

    assert resumed.files_known > 0
    assert resumed.files > 0
    stored = await contents(store)
    await store.rows("DELETE FROM slack_messages RETURNING true")
    await store.rows("DELETE FROM slack_import_files RETURNING true")
    await import_export(database, tenant, path)
    assert (await contents(store))["slack_messages"] == stored["slack_messages"]


async def test_while_a_batch_is_stored_the_next_one_is_read_and_no_more(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 10)
    monkeypatch.setattr(importer, "_TURN", 1)
    day = [said(f"{1_710_000_000 + number}.000100", "U0001", "again") for number in range(100)]
    path = Export({"channels.json": [channel("C0001", "general", [])], "general/2024-03-09.json": day})
    read, second = list[int](), asyncio.Event()

    def hear(advance: Advance) -> None:
        read.append(advance.messages)
        if advance.messages == 20:
            second.set()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group, database.session(tenant.id) as session:
        await session.execute(text("LOCK TABLE slack_messages IN SHARE MODE"))
        group.create_task(import_export(database, tenant, path.folder(tmp_path / "export"), on_advance=hear))
        await second.wait()
        for _ in range(100):  # a record in each, if nothing held the reader back
            await asyncio.sleep(0)
        assert read == [10, 20]

    assert read == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100]
    assert len(await store.messages()) == 100


async def test_a_dry_run_tells_what_would_be_and_keeps_nothing(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    path, before = lantern().zip(tmp_path / "export.zip"), await contents(store)
    tried = await import_export(database, tenant, path, dry_run=True)

    assert (tried.messages, tried.new, tried.people) == (12, 11, 4)
    assert await contents(store) == before


BAD: dict[str, Any] = {
    "general/2024-02-01.json": [
        said("1706781600.000100", "U0001", "NUL\0 in the text"),
        said("yesterday", "U0001", "no time"),
        {"type": "message", "user": "U0001", "text": "none at all"},
        said(1706781600.5, "U0001", "a number"),  # pyright: ignore[reportArgumentType]
        "no object",
        said("1706781700.000100", "U0001", "good"),
    ],
    "general/2024-02-02.json": json.dumps([said("1706868000.000100", "U0001", "whole")]).encode()[:-1]
    + b', {"type": "message", "ts": "17068',
    "general/2024-02-03.json": b'[{"type":"message","user":"U0001","ts":"1706954400.000100","text":"a\x00b \xff c"}]',
    "general/2024-02-04.json": {"ok": False},
    "general/2024-02-05.json": b"",
}


async def test_bad_records_are_quarantined_with_their_reason_and_cost_no_other(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    export = Export({**lantern().files, **BAD})
    report = await import_export(database, tenant, export.zip(tmp_path / "export.zip"))

    found = {(one.file.partition("/")[2][:10], one.position): one.reason for one in report.faults}
    assert sorted(found) == [
        ("2024-02-01", 0),
        ("2024-02-01", 1),
        ("2024-02-01", 2),
        ("2024-02-01", 3),
        ("2024-02-01", 4),
        ("2024-02-02", -1),
        ("2024-02-03", -1),
        ("2024-02-04", -1),
        ("2024-02-05", -1),
    ]
    assert "NUL" in found["2024-02-01", 0]
    assert "after 1 records" in found["2024-02-02", -1]
    kept = {text for (_, ts), text in (await texts(store)).items() if ts > "1706"}
    assert kept == {"NUL in the text", "good", "whole", "ab \ufffd c"}
    stored = await store.rows("SELECT record FROM slack_quarantine WHERE position = 1")
    assert b"no time" in bytes(stored[0][0])


async def test_what_is_newer_here_stays(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    edited = {"ts": FREEZE, "user": "U0001", "text": "When is the thaw?", "edited": {"ts": "1704200000.000000"}}
    gone = MessageTs("1704103260.000200")
    async with database.session(tenant.id) as session:
        await archive.record(session, read_message(edited, GENERAL))
        await archive.erase(session, GENERAL, gone, at=LATER)
        eyes = Reaction(UserId("U0002"), "eyes")
        await reactions.react(session, GENERAL, FREEZE, eyes, at=LATER, added=False)
    await import_export(database, tenant, lantern().zip(tmp_path / "export.zip"))

    stored = await texts(store)
    assert (stored[GENERAL, FREEZE], stored[GENERAL, gone]) == ("When is the thaw?", "")
    async with database.session(tenant.id) as session:
        assert await reactions.standing(session, GENERAL, FREEZE) == [Reaction(UserId("U0003"), "eyes")]
    assert gone not in str(await store.rows("SELECT payload FROM slack_events"))


async def test_a_channel_that_was_doubted_since_stays_as_narrow_as_it_is(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    await store.rows(
        "INSERT INTO slack_channels (tenant_id, channel_id, name, kind, is_shared)"
        " VALUES (athenaeum_tenant(), 'C0001', '', 'private', true) RETURNING true"
    )
    await import_export(database, tenant, lantern().zip(tmp_path / "export.zip"))

    look = "SELECT name, kind, is_shared, members_read_at FROM slack_channels WHERE channel_id = 'C0001'"
    assert await store.rows(look) == [("general", "private", True, None)]


async def test_a_newer_export_tells_of_a_rename_and_of_who_left(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    await import_export(database, tenant, lantern().zip(tmp_path / "old.zip"))
    newer = lantern()
    newer.files["channels.json"] = [channel("C0001", "lobby", ["U0001"]), channel("C0009", "general", ["U0002"])]
    newer.files["lobby/2024-06-01.json"] = [said("1717236000.000100", "U0001", "Renamed.")]
    newer.files["general/2024-06-02.json"] = [said("1717322400.000100", "U0002", "A new general.")]
    for name in ("general/2024-01-01.json", "general/2024-01-02.json", "allgemeines-größe/2024-01-01.json"):
        del newer.files[name]
    await import_export(database, tenant, newer.zip(tmp_path / "new.zip"))

    names = dict(await store.rows("SELECT channel_id, name FROM slack_channels WHERE kind = 'public'"))
    assert (names["C0001"], names["C0009"]) == ("lobby", "general")
    assert (await texts(store))["C0009", "1717322400.000100"] == "A new general."
    assert await store.rows("SELECT user_id FROM slack_members WHERE channel_id = 'C0001'") == [("U0001",)]


async def test_a_folder_that_two_channels_claim_is_read_by_nobody(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    export = lantern()
    export.files["channels.json"] = [*export.files["channels.json"], channel("C0003", "secret", ["U0002"])]
    export.files["nowhere/2024-01-01.json"] = [said("1704109999.000100", "U0001", "lost")]
    report = await import_export(database, tenant, export.zip(tmp_path / "export.zip"))

    assert report.unlisted == ["nowhere", "secret"]
    assert "The budget is 480000 euros." not in (await texts(store)).values()


async def test_an_export_of_another_workspace_is_refused(database: DatabaseConnection, tmp_path: Path) -> None:
    connected = await register.bind(database, IDENTITY)
    export = lantern()
    export.files["users.json"] = [{**user("U0001", "maya"), "team_id": "T9999"}]

    with pytest.raises(Misconfigured, match="T9999"):
        await import_export(database, connected, export.zip(tmp_path / "export.zip"))


async def test_no_token_of_a_file_is_stored(
    database: DatabaseConnection, tenant: Tenant, store: Store, tmp_path: Path
) -> None:
    export = lantern()
    export.files["general/2024-03-01.json"] = [
        said("never", "U0001", "", files=[{"url_private": f"https://x?t={TOKEN}"}])
    ]
    await import_export(database, tenant, export.zip(tmp_path / "export.zip"))

    records = b"".join(bytes(row[0]) for row in await store.rows("SELECT record FROM slack_quarantine"))
    assert TOKEN not in f"{await contents(store)}{records!r}"


def test_a_day_of_thirty_megabytes_is_never_in_memory_at_once(tmp_path: Path) -> None:
    message = said("1704103200.000100", "U0001", "word " * 200)
    path = Export({"channels.json": [], "big/2024-01-01.json": [message] * 30_000}).zip(tmp_path / "export.zip")

    with open_export(path) as files:
        leaf = files["big/2024-01-01.json"]
        assert leaf.size > 30_000_000
        tracemalloc.start()
        count = sum(1 for _ in Records(leaf))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert count == 30_000
    assert peak < 3_000_000
