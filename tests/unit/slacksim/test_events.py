from __future__ import annotations

from typing import Any

import pytest

from slacksim import events
from slacksim.changes import Change
from slacksim.model import Message
from slacksim.people import Person
from slacksim.world import World


@pytest.fixture
def heard(world: World) -> list[dict[str, Any]]:
    """The events that the app gets."""
    sent: list[dict[str, Any]] = []

    def follow(change: Change) -> None:
        sent.extend(events.of(change, world.app))

    world.listen(follow)
    return sent


def names(heard: list[dict[str, Any]]) -> list[str]:
    return [event.get("subtype", event["type"]) for event in heard]


@pytest.fixture
def maya(world: World) -> Person:
    return Person.named(world, "maya")


def test_a_mention_in_a_channel_gives_a_message_and_an_app_mention(
    world: World, maya: Person, heard: list[dict[str, Any]]
) -> None:
    message = maya.say("general", f"<@{world.app.user_id}> hello")
    assert names(heard) == ["message", "app_mention"]
    assert [event["ts"] for event in heard] == [message.ts, message.ts]
    assert heard[0]["channel_type"] == "channel"
    assert "channel_type" not in heard[1]


def test_a_mention_in_a_direct_message_is_a_message_only(
    world: World, maya: Person, heard: list[dict[str, Any]]
) -> None:
    maya.say(world.app.user_id, f"<@{world.app.user_id}> hello")
    assert [(event["type"], event["channel_type"]) for event in heard] == [("message", "im")]


def test_the_app_hears_nothing_of_channels_it_is_not_in(
    world: World, maya: Person, heard: list[dict[str, Any]]
) -> None:
    maya.say("elsewhere", f"<@{world.app.user_id}> hello")
    assert heard == []


def test_an_edit_carries_the_new_and_the_previous_message(maya: Person, heard: list[dict[str, Any]]) -> None:
    message = maya.say("general", "frist")
    maya.edit("general", message.ts, "first")
    changed = heard[-1]
    assert (changed["subtype"], changed["hidden"], "user" in changed) == ("message_changed", True, False)
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("frist", "first")
    assert changed["ts"] != message.ts


def test_a_deletion_names_the_deleted_ts(maya: Person, heard: list[dict[str, Any]]) -> None:
    message = maya.say("general", "oops")
    maya.delete("general", message.ts)
    assert (heard[-1]["subtype"], heard[-1]["deleted_ts"]) == ("message_deleted", message.ts)


def test_deleting_a_parent_with_replies_is_heard_as_a_change_to_a_tombstone(
    maya: Person, heard: list[dict[str, Any]]
) -> None:
    parent = maya.say("general", "question")
    maya.say("general", "more", thread_ts=parent.ts)
    maya.delete("general", parent.ts)
    assert heard[-1]["subtype"] == "message_changed"
    assert heard[-1]["message"]["subtype"] == "tombstone"


def test_the_app_hears_its_own_messages_but_no_mention_of_itself(world: World, heard: list[dict[str, Any]]) -> None:
    channel = world.find_channel("general")
    assert channel is not None
    app = world.app
    ts = world.timestamps.next()
    world.post(Message(ts, channel.id, app.user_id, f"<@{app.user_id}>", bot_id=app.bot_id))
    assert [(event["type"], event["bot_id"]) for event in heard] == [("message", app.bot_id)]


def test_reactions_are_heard_with_the_message_they_belong_to(maya: Person, heard: list[dict[str, Any]]) -> None:
    message = maya.say("general", "hello")
    maya.react("general", message.ts, "eyes", added=True)
    maya.react("general", message.ts, "eyes", added=False)
    assert names(heard[1:]) == ["reaction_added", "reaction_removed"]
    assert heard[1]["item"]["ts"] == message.ts


def test_a_removed_app_hears_that_it_left_and_then_nothing(
    world: World, maya: Person, heard: list[dict[str, Any]]
) -> None:
    channel = world.find_channel("general")
    assert channel is not None
    world.leave(channel, world.app.user_id)
    maya.say("general", "are you there?")
    assert names(heard) == ["channel_left"]


def test_only_subscribed_events_are_sent(world: World, maya: Person, heard: list[dict[str, Any]]) -> None:
    world.app.events = frozenset({"app_mention"})
    maya.say("general", f"<@{world.app.user_id}> hello")
    assert names(heard) == ["app_mention"]


def test_two_events_of_one_message_have_ids_of_their_own(
    world: World, maya: Person, heard: list[dict[str, Any]]
) -> None:
    maya.say("general", f"<@{world.app.user_id}> hello")
    ids = {events.callback(event, world)["event_id"] for event in heard}
    assert len(ids) == 2
