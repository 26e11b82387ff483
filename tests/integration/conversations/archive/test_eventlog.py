"""The log of what Slack told: every event once, no token, and no word that was deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from athenaeum.conversations import archive
from athenaeum.conversations.archive import bulk, eventlog
from athenaeum.conversations.archive.indexing import MessageIndexer
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.envelope import read_envelope
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.gateway.rebuild import rebuild
from athenaeum.retrieval.index import Index
from athenaeum.slack.incoming import Payload
from athenaeum.tenants import register
from support.events import until
from support.slack_events import IDENTITY, Events, Store, take
from support.traffic import differences, picture, settle

CHANNEL = ChannelId("C0001")
CANARY = "canary-5e1f"


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=5) as opened:
        yield opened


@pytest.fixture
async def tenant(database: DatabaseConnection) -> Tenant:
    bound = await register.bind(database, IDENTITY)
    await settle(database, bound.id)
    return bound


@pytest.fixture
def store(database: DatabaseConnection, tenant: Tenant) -> Store:
    return Store(database, tenant.id)


@pytest.fixture
def listener(database: DatabaseConnection, tenant: Tenant) -> Listener:
    return Listener(database, Intake(database))


@pytest.fixture
def events() -> Events:
    return Events()


async def logged(store: Store) -> list[dict[str, Any]]:
    return [payload for (payload,) in await store.rows("SELECT payload FROM slack_events ORDER BY received_at")]


async def holds_canary(store: Store) -> set[str]:
    """The tables in which the canary's words still stand."""
    tables = [name for (name,) in await store.rows(_TABLES)]
    counted = [
        (name, await store.rows(f"SELECT 1 FROM {name} AS t WHERE t::text LIKE '%{CANARY}%'")) for name in tables
    ]
    return {name for name, rows in counted if rows}


_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND has_table_privilege(oid, 'SELECT')"""


async def test_an_event_is_kept_once_however_often_it_comes(listener: Listener, events: Events, store: Store) -> None:
    said = events.message("hello")
    await take(listener, said, said, said)

    assert [payload["event"]["text"] for payload in await logged(store)] == ["hello"]


async def test_an_event_that_nobody_understands_is_kept_for_a_release_that_does(
    listener: Listener, events: Events, store: Store
) -> None:
    malformed = events.message("hello", ts="yesterday")
    await take(listener, events.callback({"type": "a_thing_of_next_year"}), malformed)

    assert len(await logged(store)) == 2


async def test_no_token_is_kept(listener: Listener, events: Events, store: Store) -> None:
    url = "https://files.slack.test/F1/plan.pdf"
    with_token = {
        "id": "F1",
        "name": "plan.pdf",
        "mimetype": "application/pdf",
        "size": 7,
        "url_private": f"{url}?t=xoxe-1",
    }
    await take(listener, {**events.message("see", files=[with_token]), "token": CANARY})

    assert not await holds_canary(store)
    assert not await store.rows("SELECT 1 FROM slack_events WHERE payload::text LIKE '%xox%'")
    [message] = await store.messages()
    assert message.metadata_["files"] == [{**with_token, "url_private": url}]


async def test_a_message_of_files_alone_is_kept_with_their_metadata(
    listener: Listener, events: Events, store: Store
) -> None:
    await take(listener, events.message("", subtype="file_share", files=[{"id": "F1", "name": "plan.pdf", "size": 3}]))

    [message] = await store.messages()
    assert (message.text, message.metadata_["files"]) == ("", [{"id": "F1", "name": "plan.pdf", "size": 3}])


async def test_what_a_message_said_before_its_edits_is_kept_in_every_order(
    listener: Listener, events: Events, store: Store
) -> None:
    ts = events.ts()
    one, two, three = events.message("one", ts=ts), events.edit("two", ts), events.edit("three", ts)
    await take(listener, three, one, two)

    async with store.database.session(store.tenant) as session:
        told = await archive.versions(session, CHANNEL, MessageTs(ts))
    assert [version.text for version in told] == ["one", "two"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
async def test_a_deletion_takes_the_words_out_of_the_archive_the_log_and_the_index(
    database: DatabaseConnection, listener: Listener, events: Events, store: Store, order: tuple[int, ...]
) -> None:
    ts, index = events.ts(), Index(database, None)
    gone = events.deletion(ts)
    gone["event"]["previous_message"] = {"type": "message", "user": "U0001", "ts": ts, "text": CANARY}
    story = [events.message(CANARY, ts=ts), events.edit(f"{CANARY} again", ts, before=CANARY), gone]
    await take(listener, *(story[number] for number in order[:2]))
    await MessageIndexer(database, index).run_once()
    await take(listener, story[order[2]])
    await MessageIndexer(database, index).run_once()

    assert await holds_canary(store) == set()
    assert len(await logged(store)) == 3
    assert await store.rows("SELECT 1 FROM postings WHERE term LIKE '%canary%'") == []


async def test_an_edit_is_found_by_its_new_words_alone(
    database: DatabaseConnection, listener: Listener, events: Events, store: Store
) -> None:
    ts, index = events.ts(), Index(database, None)
    await take(listener, events.message("the kettle is broken", ts=ts))
    await MessageIndexer(database, index).run_once()
    await take(listener, events.edit("the toaster is broken", ts))
    await MessageIndexer(database, index).run_once()

    texts = [text for (text,) in await store.rows("SELECT text FROM passages")]
    assert texts == ["the toaster is broken"]


async def test_the_words_of_a_deleted_message_are_taken_out_of_a_page_of_history(
    database: DatabaseConnection, listener: Listener, events: Events, store: Store
) -> None:
    page = [{"ts": events.ts(), "user": "U0001", "text": CANARY}, {"ts": events.ts(), "user": "U0001", "text": "stays"}]
    await keep(store, page)
    await take(listener, events.deletion(page[0]["ts"]))
    await keep(store, page)

    assert await holds_canary(store) == set()
    assert [message.text for message in await store.messages()] == ["", "stays"]


async def test_a_rebuild_brings_history_back_and_nothing_that_was_deleted(
    database: DatabaseConnection, tenant: Tenant, listener: Listener, events: Events, store: Store
) -> None:
    stamps = [events.ts() for _ in range(3)]
    reaction = {"name": "eyes", "users": ["U0001", "U0002"]}
    await keep(store, [{"ts": ts, "user": "U0001", "text": f"said {ts}", "reactions": [reaction]} for ts in stamps])
    await take(listener, events.edit("edited", stamps[0]), events.deletion(stamps[1]))
    before = await picture(database, tenant.id)
    await store.rows(
        "UPDATE slack_messages SET text = 'corrupted', user_id = NULL WHERE deleted_at IS NULL RETURNING 1"
    )
    await store.rows("DELETE FROM slack_reactions RETURNING 1")

    await rebuild(database, tenant, lambda _done, _total: None)

    assert differences(before, await picture(database, tenant.id)) == {}


async def test_a_rebuild_leaves_alone_what_the_log_does_not_know(
    database: DatabaseConnection, tenant: Tenant, listener: Listener, events: Events, store: Store
) -> None:
    await take(listener, events.message("before there was a log"), events.message("since"))
    await store.rows("DELETE FROM slack_events WHERE payload::text LIKE '%before there%' RETURNING 1")

    await rebuild(database, tenant, lambda _done, _total: None)

    assert [message.text for message in await store.messages()] == ["before there was a log", "since"]


async def test_a_rebuild_indexes_nothing_anew_that_has_not_changed(
    database: DatabaseConnection, tenant: Tenant, listener: Listener, events: Events, store: Store
) -> None:
    await take(listener, events.message("the kettle is broken"))
    await MessageIndexer(database, Index(database, None)).run_once()

    await rebuild(database, tenant, lambda _done, _total: None)

    assert [message.indexed_at is not None for message in await store.messages()] == [True]


async def test_a_channel_whose_id_changes_takes_everything_along(
    database: DatabaseConnection, listener: Listener, events: Events, store: Store
) -> None:
    ts, index = events.ts(), Index(database, None)
    moved = events.callback({"type": "channel_id_changed", "old_channel_id": "C0001", "new_channel_id": "C0002"})
    item = {"type": "message", "channel": "C0001", "ts": ts}
    await take(listener, events.message("the kettle is broken", ts=ts))
    await MessageIndexer(database, index).run_once()
    await take(listener, moved, moved)
    await take(listener, events.edit("the toaster is broken", ts))  # told under the old id
    await take(listener, events.callback({"type": "reaction_added", "user": "U0001", "reaction": "eyes", "item": item}))
    await MessageIndexer(database, index).run_once()

    assert [(message.channel_id, message.text) for message in await store.messages()] == [
        ("C0002", "the toaster is broken")
    ]
    assert await store.rows("SELECT DISTINCT channel_id FROM slack_events") == [("C0002",)]
    assert await store.rows("SELECT channel_id FROM slack_reactions") == [("C0002",)]
    assert await store.rows("SELECT channel_id, text FROM passages") == [("C0002", "the toaster is broken")]
    assert await store.rows("SELECT 1 FROM slack_channels WHERE channel_id = 'C0001'") == []


async def test_an_event_that_is_being_stored_does_not_miss_the_change_of_its_channels_id(
    database: DatabaseConnection, tenant: Tenant, events: Events, store: Store
) -> None:
    moved = events.callback({"type": "channel_id_changed", "old_channel_id": "C0001", "new_channel_id": "C0002"})
    said = events.message("just now")
    async with asyncio.TaskGroup() as group, database.session(tenant.id) as session:
        await eventlog.append(session, "message", Payload(said))
        await archive.record(session, archive.read_message(said["event"], CHANNEL))
        group.create_task(Intake(database).take_in(read_envelope(moved), tenant))
        await until(lambda: waits(store))

    assert [message.channel_id for message in await store.messages()] == ["C0002"]


async def waits(store: Store) -> bool:
    return bool(await store.rows("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'slack_events'::regclass"))


async def test_an_older_description_of_a_person_does_not_make_a_guest_a_member(
    listener: Listener, events: Events, store: Store
) -> None:
    earlier = events.callback({"type": "user_change", "user": {"id": "U0001", "name": "a"}})
    later = events.callback({"type": "user_change", "user": {"id": "U0001", "name": "b", "is_restricted": True}})
    await take(listener, later, earlier)

    assert await store.rows("SELECT name, is_guest FROM slack_users WHERE user_id = 'U0001'") == [("b", True)]


async def keep(store: Store, page: list[dict[str, Any]]) -> None:
    async with store.database.session(store.tenant) as session:
        batch = bulk.MessageBatch()
        for raw in page:
            batch.take(raw, CHANNEL)
        await bulk.store(session, batch)
