from __future__ import annotations

import pytest

from slacksim import objects
from slacksim.changes import Change, Deleted, Edited, Posted
from slacksim.model import Channel, Message
from slacksim.world import World


@pytest.fixture
def general(world: World) -> Channel:
    channel = world.find_channel("#general")
    assert channel is not None
    return channel


def say(world: World, channel: Channel, text: str, thread_ts: str | None = None) -> Message:
    maya = world.find_user("maya")
    assert maya is not None
    ts = world.timestamps.next()
    return world.post(Message(ts, channel.id, maya.id, text, thread_ts=thread_ts))


def test_timestamps_are_unique_and_grow(world: World) -> None:
    stamps = [world.timestamps.next() for _ in range(1000)]
    assert sorted(set(stamps)) == stamps


def test_a_reply_is_counted_at_its_parent_and_stays_out_of_the_timeline(world: World, general: Channel) -> None:
    parent = say(world, general, "question")
    reply = say(world, general, "answer", parent.ts)
    shown = objects.message(general, parent)
    assert (shown["reply_count"], shown["latest_reply"]) == (1, reply.ts)
    assert reply.ts not in general.timeline


def test_deleting_a_parent_with_replies_leaves_a_tombstone(world: World, general: Channel) -> None:
    parent = say(world, general, "question")
    say(world, general, "answer", parent.ts)
    heard: list[Change] = []
    world.listen(heard.append)
    world.delete(parent)
    assert general.messages[parent.ts].subtype == "tombstone"
    assert [type(change) for change in heard] == [Edited]


def test_deleting_a_message_without_replies_removes_it(world: World, general: Channel) -> None:
    message = say(world, general, "oops")
    heard: list[Change] = []
    world.listen(heard.append)
    world.delete(message)
    assert message.ts not in general.messages
    assert message.ts not in general.timeline
    assert [type(change) for change in heard] == [Deleted]


def test_a_snapshot_brings_back_edited_and_deleted_messages(world: World, general: Channel) -> None:
    first, second = say(world, general, "one"), say(world, general, "two")
    snapshot = world.snapshot()
    world.edit(first, by=first.user, text="changed")
    world.delete(second)
    world.restore(snapshot)
    messages = world.channels[general.id].messages
    assert [message.text for message in messages.values()] == ["one", "two"]


def test_the_same_people_share_one_direct_message(world: World) -> None:
    maya, tom = world.find_user("maya"), world.find_user("tom")
    assert maya is not None
    assert tom is not None
    first, _ = world.open_direct([maya.id, tom.id])
    second, was_open = world.open_direct([tom.id, maya.id])
    assert second is first
    assert was_open


def test_a_guest_reads_no_public_channel_but_its_own(world: World, general: Channel) -> None:
    vera = world.find_user("vera")
    assert vera is not None
    assert not world.may_read(vera.id, general)
    world.join(general, vera.id)
    assert world.may_read(vera.id, general)


def test_joining_a_channel_is_announced_in_it(world: World, general: Channel) -> None:
    heard: list[Change] = []
    world.listen(heard.append)
    world.join(general, "UNEW")
    posted = [change.message for change in heard if isinstance(change, Posted)]
    assert [message.subtype for message in posted] == ["channel_join"]


def test_posting_into_a_thread_clears_the_status_there(world: World, general: Channel) -> None:
    parent = say(world, general, "question")
    world.set_status(general, parent.ts, "is thinking…")
    app = world.app
    world.post(Message(world.timestamps.next(), general.id, app.user_id, "hi", thread_ts=parent.ts, bot_id=app.bot_id))
    assert world.state.statuses == {}
