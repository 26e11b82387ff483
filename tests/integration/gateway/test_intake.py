"""What events leave in the archive and in the queue, however often and in whatever order they come."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from athenaeum.conversations import turns
from athenaeum.conversations.archive import reactions
from athenaeum.conversations.archive.reactions import Reaction
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import ChannelId, MessageTs, UserId, turn_id
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.admission import Admission
from athenaeum.gateway.envelope import read_envelope
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener, Receipt
from athenaeum.observability.metrics import UNKNOWN_WORKSPACES
from athenaeum.tenants import register
from support.slack_events import BOT, IDENTITY, Events, Store, take


async def test_a_mention_opens_one_turn_and_enqueues_one_event(
    listener: Listener, events: Events, store: Store
) -> None:
    await take(listener, events.mention(f"<@{BOT}> how do I retry &lt;failed&gt; events?"))

    (turn,) = await store.turns()
    assert turn.question == "how do I retry <failed> events?"
    assert turn.thread_ts == turn.message_ts
    assert (turn.channel_id, turn.asker_id, turn.state) == ("C0001", "U0001", "waiting")
    assert len(await store.rows("SELECT 1 FROM events WHERE event_type = 'turn'")) == 1


async def test_four_deliveries_of_both_twins_open_one_turn(listener: Listener, events: Events, store: Store) -> None:
    ts = events.ts()
    twins = [events.message(f"<@{BOT}> hello", ts=ts), events.mention(f"<@{BOT}> hello", ts=ts)]
    await take(listener, *twins * 4)

    assert len(await store.turns()) == 1
    assert len(await store.rows("SELECT 1 FROM events WHERE event_type = 'turn'")) == 1
    assert [message.text for message in await store.messages()] == [f"<@{BOT}> hello"]


async def test_a_mention_in_a_thread_is_answered_in_that_thread(
    listener: Listener, events: Events, store: Store
) -> None:
    root = events.ts()
    await take(listener, events.message(f"<@{BOT}> and now?", thread_ts=root))

    assert [turn.thread_ts for turn in await store.turns()] == [root]


async def test_a_direct_message_needs_no_mention(listener: Listener, events: Events, store: Store) -> None:
    await take(listener, events.message("what is new?", channel="D0001", channel_type="im"))

    assert [turn.question for turn in await store.turns()] == ["what is new?"]
    assert await store.rows("SELECT kind FROM slack_channels") == [("im",)]
    assert await store.rows("SELECT user_id FROM slack_members WHERE channel_id = 'D0001'") == [("U0001",)]


@pytest.mark.parametrize(
    "fields",
    [
        {"user": BOT},
        {"bot_id": "B0002", "user": "U0002"},
        {"subtype": "bot_message", "user": None, "bot_id": "B0002"},
        {"user": "USLACKBOT"},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"subtype": "me_message"},
    ],
    ids=str,
)
async def test_what_no_person_asked_is_kept_and_not_answered(
    listener: Listener, events: Events, store: Store, fields: dict[str, str | None]
) -> None:
    await take(listener, events.message(f"<@{BOT}> hi", **fields))

    assert await store.turns() == []
    assert len(await store.messages()) == 1


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
async def test_a_file_or_a_broadcast_with_a_mention_is_a_question(
    listener: Listener, events: Events, store: Store, subtype: str
) -> None:
    await take(listener, events.message(f"<@{BOT}> see this", subtype=subtype, files=[{"name": "plan.pdf"}]))

    assert len(await store.turns()) == 1
    assert (await store.messages())[0].metadata_ == {"files": [{"name": "plan.pdf"}]}


async def test_a_message_that_slack_brings_within_the_hour_is_answered(
    listener: Listener, events: Events, store: Store
) -> None:
    await take(listener, events.mention(f"<@{BOT}> hello", ts=f"{time.time() - 3500:.6f}"))

    assert len(await store.turns()) == 1


async def test_an_edit_before_the_turn_begins_changes_the_question(
    listener: Listener, events: Events, store: Store
) -> None:
    ts = events.ts()
    await take(listener, events.mention(f"<@{BOT}> one", ts=ts), events.edit(f"<@{BOT}> two", ts, before="one"))

    assert [turn.question for turn in await store.turns()] == ["two"]


async def test_an_edit_after_the_turn_began_leaves_its_question(
    listener: Listener, events: Events, store: Store
) -> None:
    ts = events.ts()
    await take(listener, events.mention(f"<@{BOT}> one", ts=ts))
    await store.rows("UPDATE turns SET state = 'working' RETURNING 1")
    await take(listener, events.edit(f"<@{BOT}> two", ts))

    assert [turn.question for turn in await store.turns()] == ["one"]


async def test_an_edit_that_puts_the_mention_in_asks(listener: Listener, events: Events, store: Store) -> None:
    ts = events.ts()
    await take(listener, events.message("is it?", ts=ts), events.edit(f"<@{BOT}> is it?", ts, before="is it?"))

    assert [turn.question for turn in await store.turns()] == ["is it?"]


async def test_an_unfurl_of_a_mention_does_not_ask_again(listener: Listener, events: Events, store: Store) -> None:
    ts = events.ts()
    text = f"<@{BOT}> see https://example.org"
    await take(listener, events.edit(text, ts, before=text))

    assert await store.turns() == []


async def test_a_deletion_withdraws_a_question_that_waits(listener: Listener, events: Events, store: Store) -> None:
    ts = events.ts()
    await take(listener, events.mention(f"<@{BOT}> hello", ts=ts), events.deletion(ts))

    assert [(message.text, message.deleted_at is not None) for message in await store.messages()] == [("", True)]
    async with store.database.session(store.tenant) as session:
        turn = await turns.look(session, turn_id(store.tenant, ChannelId("C0001"), MessageTs(ts)))
        assert await turns.withdrawn(session, turn)


async def test_the_deleted_root_of_a_thread_is_a_deletion(listener: Listener, events: Events, store: Store) -> None:
    ts = events.ts()
    tombstone = events.edit("This message was deleted.", ts, subtype="tombstone")
    await take(listener, events.message("secret", ts=ts), tombstone)

    assert [message.text for message in await store.messages()] == [""]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
async def test_every_order_of_message_edits_and_deletion_ends_in_a_tombstone(
    listener: Listener, events: Events, store: Store, order: tuple[int, ...]
) -> None:
    ts = events.ts()
    story = [events.message("a", ts=ts), events.edit("b", ts), events.edit("c", ts), events.deletion(ts)]
    await take(listener, *(story[index] for index in order))

    assert [(message.text, message.deleted_at is not None) for message in await store.messages()] == [("", True)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))), ids=str)
async def test_the_newest_edit_wins_in_every_order(
    listener: Listener, events: Events, store: Store, order: tuple[int, ...]
) -> None:
    ts = events.ts()
    mention = f"<@{BOT}> "
    story = [
        events.message(mention + "a", ts=ts),
        events.mention(mention + "a", ts=ts),
        events.edit(mention + "b", ts, before=mention + "a"),
        events.edit(mention + "c", ts, before=mention + "b"),
    ]
    await take(listener, *(story[index] for index in order))

    assert [message.text for message in await store.messages()] == [mention + "c"]
    assert [turn.question for turn in await store.turns()] == ["c"]


async def test_a_question_deleted_before_it_arrived_is_not_asked(
    listener: Listener, events: Events, store: Store
) -> None:
    ts = events.ts()
    await take(listener, events.deletion(ts), events.mention(f"<@{BOT}> hello", ts=ts))

    assert await store.turns() == []


async def test_reactions_are_kept_once_and_taken_back(listener: Listener, events: Events, store: Store) -> None:
    ts = events.ts()
    reaction = {"user": "U0001", "reaction": "eyes", "item": {"type": "message", "channel": "C0001", "ts": ts}}
    added = events.callback({"type": "reaction_added", **reaction})
    await take(listener, added, added)
    assert await _standing(store, ts) == [Reaction(UserId("U0001"), "eyes")]

    await take(listener, events.callback({"type": "reaction_removed", **reaction}))
    assert await _standing(store, ts) == []


async def _standing(store: Store, ts: str) -> Sequence[Reaction]:
    async with store.database.session(store.tenant) as session:
        return await reactions.standing(session, ChannelId("C0001"), MessageTs(ts))


async def test_characters_that_postgresql_refuses_are_left_out(
    listener: Listener, events: Events, store: Store
) -> None:
    await take(listener, events.mention(f"<@{BOT}> a\x00b\ud800c"))

    assert [turn.question for turn in await store.turns()] == ["abc"]


async def test_an_unknown_workspace_is_silent_and_counted(listener: Listener, events: Events, store: Store) -> None:
    before = UNKNOWN_WORKSPACES._value.get()
    events.team = "T9999"
    await take(listener, events.mention(f"<@{BOT}> hello"))

    assert UNKNOWN_WORKSPACES._value.get() == before + 1
    assert await store.messages() == []


async def test_an_event_that_comes_before_any_workspace_is_connected_is_left_with_slack(
    database: DatabaseConnection, events: Events
) -> None:
    listener = Listener(database, Intake(database))
    mention = events.mention(f"<@{BOT}> hello")
    assert await listener.receive(mention, transport="socket") is Receipt.AWAY

    tenant = await register.bind(database, IDENTITY)
    await take(listener, mention)
    assert len(await Store(database, tenant.id).turns()) == 1


async def test_a_tenant_that_is_disabled_is_silent_within_seconds(
    database: DatabaseConnection, tenant: Tenant, events: Events, store: Store
) -> None:
    seconds = 0.0
    admission = Admission(database, clock=lambda: seconds)
    envelope = read_envelope(events.mention("hi"))
    assert await admission.admit(envelope) == tenant
    await store.rows("UPDATE tenants SET status = 'disabled' RETURNING 1")

    assert await admission.admit(envelope) == tenant
    seconds = 5.0
    assert await admission.admit(envelope) is None


@pytest.mark.parametrize(
    "payload",
    [None, 3, "text", [], {}, {"type": "event_callback"}, {"event": []}, {"event": {"type": ["message"]}}],
    ids=str,
)
async def test_what_cannot_be_read_is_acknowledged_and_left_out(
    listener: Listener, store: Store, payload: object
) -> None:
    await take(listener, payload)
    assert await store.messages() == []


async def test_a_message_without_a_timestamp_is_acknowledged_and_left_out(
    listener: Listener, events: Events, store: Store
) -> None:
    broken = events.message("hello")
    broken["event"]["ts"] = "yesterday"
    await take(listener, broken)
    assert await store.messages() == []


async def test_an_event_type_that_nobody_knows_is_acknowledged(listener: Listener, events: Events) -> None:
    await take(listener, events.callback({"type": "a_thing_of_next_year", "channel": {"deep": [1]}}))


async def test_an_organisation_wide_installation_is_found_by_its_enterprise(
    database: DatabaseConnection, events: Events
) -> None:
    grid = replace(IDENTITY, team_id="E0001", enterprise_id="E0001")
    tenant = await register.bind(database, grid)
    leave = [{"enterprise_id": "E0001", "team_id": None, "is_enterprise_install": True}]
    mention = events.mention(f"<@{BOT}> hello", user="W0001")
    mention |= {"team_id": None, "authorizations": leave}
    await take(Listener(database, Intake(database)), mention)

    assert [turn.asker_id for turn in await Store(database, tenant.id).turns()] == ["W0001"]


async def test_two_workspaces_with_the_same_channel_ids_keep_apart(
    listener: Listener, database: DatabaseConnection, events: Events, store: Store
) -> None:
    other = await register.bind(database, replace(IDENTITY, team_id="T0002"))
    ts = events.ts()
    await take(listener, events.mention(f"<@{BOT}> ours", ts=ts))
    events.team = "T0002"
    await take(listener, events.mention(f"<@{BOT}> theirs", ts=ts))

    assert [turn.question for turn in await store.turns()] == ["ours"]
    assert [turn.question for turn in await Store(database, other.id).turns()] == ["theirs"]


async def test_concurrent_deliveries_of_one_message_open_one_turn(
    listener: Listener, events: Events, store: Store
) -> None:
    ts = events.ts()
    twins = [events.message(f"<@{BOT}> hello", ts=ts), events.mention(f"<@{BOT}> hello", ts=ts)] * 5
    random.Random(1).shuffle(twins)
    async with asyncio.TaskGroup() as group:
        for twin in twins:
            group.create_task(take(listener, twin))

    assert len(await store.turns()) == 1
