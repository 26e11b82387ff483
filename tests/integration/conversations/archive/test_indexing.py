"""Messages on their way into the index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from athenaeum.conversations import archive
from athenaeum.conversations.archive import read_message
from athenaeum.conversations.archive.indexing import MessageIndexer
from athenaeum.conversations.archive.places import place
from athenaeum.conversations.sync import sync_workspace
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.retrieval.index import Index
from athenaeum.slack.client import SlackClient
from slacksim.world import World
from support.slack_events import Store


@pytest.fixture
def index(database: DatabaseConnection) -> Index:
    return Index(database, None)


@pytest.fixture
async def indexer(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, index: Index
) -> AsyncGenerator[MessageIndexer]:
    await sync_workspace(database, client, tenant.id)
    indexer = MessageIndexer(database, index)
    yield indexer
    await indexer.close()


async def passages(store: Store) -> list[tuple[str, str, str | None]]:
    rows = await store.rows("SELECT title, text, author FROM passages ORDER BY text")
    return [(title, text, author) for title, text, author in rows]


async def test_what_people_said_is_indexed_and_the_bots_own_words_and_questions_to_it_are_not(
    indexer: MessageIndexer, store: Store
) -> None:
    assert await indexer.run_once() == 6
    assert await passages(store) == [
        ("#general", "Pinned in the wiki.", "tom"),
        ("#secret", "The budget is 480000 euros.", "maya"),
        ("#general", "The release train leaves on Tuesday, @maya.", "tom"),
        ("#general", "Where is the runbook?", "maya"),
    ]


async def test_nothing_is_done_twice(indexer: MessageIndexer) -> None:
    await indexer.run_once()
    assert await indexer.run_once() == 0


async def test_a_backlog_of_years_is_indexed_to_its_end_across_times_when_nobody_spoke(
    indexer: MessageIndexer, database: DatabaseConnection, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await indexer.run_once()
    [(channel, *_), *_] = await store.rows("SELECT channel_id FROM slack_channels WHERE name = 'general'")
    days = [0, 1, 2, 300, 301, 302, 303, 900]
    async with database.session(store.tenant) as session:
        for day in days:
            said = {"user": "U0001", "ts": f"{1_500_000_000 + day * 86_400}.000100", "text": f"On day {day}."}
            await archive.record(session, read_message(said, ChannelId(channel)))
    monkeypatch.setattr("athenaeum.conversations.archive.indexing._BATCH", 2)

    assert await indexer.run_once() == len(days)
    assert await store.rows("SELECT count(*) FROM passages WHERE text LIKE 'On day%'") == [(len(days),)]


async def test_an_edit_is_indexed_anew_and_a_deletion_is_taken_out(
    indexer: MessageIndexer, database: DatabaseConnection, store: Store, world: World
) -> None:
    await indexer.run_once()
    train, runbook, *_ = [m for m in await store.messages() if m.text.startswith(("The release", "Where"))]
    channel = ChannelId(train.channel_id)
    edited = {"ts": train.ts, "text": "The release train leaves on Friday.", "edited": {"ts": "1999999999.000000"}}
    async with database.session(store.tenant) as session:
        await archive.record(session, read_message(edited, channel))
        await archive.erase(session, channel, MessageTs(runbook.ts))
    await indexer.run_once()

    texts = [text for _, text, _ in await passages(store)]
    assert "The release train leaves on Friday." in texts
    assert not any("Tuesday" in text or "runbook" in text for text in texts)


async def test_a_passage_can_be_opened_at_its_message_in_its_thread(indexer: MessageIndexer, store: Store) -> None:
    await indexer.run_once()
    ((url,),) = await store.rows("SELECT url FROM passages WHERE text = 'Pinned in the wiki.'")
    assert "/archives/C" in url
    assert "thread_ts=" in url


async def test_messages_of_a_channel_that_was_not_read_yet_wait(
    indexer: MessageIndexer, database: DatabaseConnection, store: Store
) -> None:
    await indexer.run_once()
    async with database.session(store.tenant) as session:
        raw = {"ts": "1700000000.000001", "user": "U1", "text": "first words"}
        await archive.record(session, read_message(raw, ChannelId("CNEW")))

    assert await indexer.run_once() == 0


async def test_a_private_word_is_found_by_its_members_only(
    indexer: MessageIndexer, database: DatabaseConnection, tenant: Tenant, index: Index, world: World
) -> None:
    await indexer.run_once()
    secret, general = world.find_channel("secret"), world.find_channel("general")
    assert secret is not None
    assert general is not None
    found: dict[tuple[str, str], bool] = {}
    for channel in (secret, general):
        async with database.session(tenant.id) as session:
            where = await place(session, ChannelId(channel.id))
        for name in ("maya", "tom"):
            user = world.find_user(name)
            assert user is not None
            audience = Audience(tenant=tenant.id, asker=UserId(user.id), place=where)
            hits = await index.search("what is the budget", audience=audience)
            found[channel.name, name] = any("480000" in hit.text for hit in hits)

    assert [key for key, hit in found.items() if hit] == [("secret", "maya")]


async def test_what_is_archived_is_indexed_without_being_asked_for(
    indexer: MessageIndexer, database: DatabaseConnection, store: Store, world: World
) -> None:
    general = world.find_channel("general")
    assert general is not None
    async with indexer, asyncio.timeout(10):
        await until_indexed(store, 4)
        async with database.session(store.tenant) as session:
            raw = {"ts": "1700000000.000001", "user": "U1", "text": "hot from the press"}
            await archive.record(session, read_message(raw, ChannelId(general.id)))
        await until_indexed(store, 5)


async def until_indexed(store: Store, count: int) -> None:
    while len(await passages(store)) < count:  # noqa: ASYNC110 - the database announces nothing to a test
        await asyncio.sleep(0.01)
