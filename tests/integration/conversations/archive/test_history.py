"""Conversations as the agent reads them."""

from __future__ import annotations

import pytest

from athenaeum.conversations import archive
from athenaeum.conversations.archive import history
from athenaeum.conversations.sync import sync_workspace
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.domain.tenant import Tenant
from athenaeum.slack.client import SlackClient
from slacksim.world import World
from support.slack_events import Store


@pytest.fixture
async def general(database: DatabaseConnection, client: SlackClient, tenant: Tenant, world: World) -> ChannelId:
    await sync_workspace(database, client, tenant.id)
    channel = world.find_channel("general")
    assert channel is not None
    return ChannelId(channel.id)


async def test_a_thread_is_its_root_and_its_replies_with_names(
    database: DatabaseConnection, tenant: Tenant, general: ChannelId, store: Store
) -> None:
    root = next(message for message in await store.messages() if message.text == "Where is the runbook?")
    async with database.session(tenant.id) as session:
        lines = await history.thread(session, general, MessageTs(root.ts), 10)

    assert [(line.author_name, line.text) for line in lines] == [
        ("maya", "Where is the runbook?"),
        ("tom", "Pinned in the wiki."),
    ]


async def test_a_long_thread_keeps_its_root_and_its_newest_replies(
    database: DatabaseConnection, tenant: Tenant, general: ChannelId
) -> None:
    async with database.session(tenant.id) as session:
        for number in range(10):
            ts = f"1700000000.{number:06d}"
            raw = {"ts": ts, "thread_ts": "1700000000.000000", "user": "U1", "text": str(number)}
            await archive.record(session, archive.read_message(raw, general))
        lines = await history.thread(session, general, MessageTs("1700000000.000000"), 4)

    assert [line.text for line in lines] == ["0", "7", "8", "9"]


async def test_the_channel_before_a_message_leaves_out_threads_and_names_mentions(
    database: DatabaseConnection, tenant: Tenant, general: ChannelId
) -> None:
    async with database.session(tenant.id) as session:
        lines = await history.recent(session, general, MessageTs("9999999999.000000"), 10)

    assert [line.text for line in lines] == [
        "The release train leaves on Tuesday, @maya.",
        "Where is the runbook?",
        "@athenaeum what is a runbook?",
        "A list of steps.",
    ]
    assert [line.is_bot for line in lines] == [False, False, False, True]


async def test_what_was_deleted_and_slacks_notices_are_left_out(
    database: DatabaseConnection, tenant: Tenant, general: ChannelId
) -> None:
    async with database.session(tenant.id) as session:
        join = {"ts": "1999999999.000000", "user": "U1", "text": "has joined", "subtype": "channel_join"}
        await archive.record(session, archive.read_message(join, general))
        (last,) = await history.recent(session, general, MessageTs("9999999999.000000"), 1)
        await archive.erase(session, general, last.ts)
        (now_last,) = await history.recent(session, general, MessageTs("9999999999.000000"), 1)

    assert (last.text, now_last.text) == ("A list of steps.", "@athenaeum what is a runbook?")
