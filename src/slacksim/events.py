"""Events API payloads. The app hears of the conversations that its bot is a member of."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator

from slacksim import objects
from slacksim.changes import Change, ChannelTouched, Deleted, Edited, Joined, Left, Posted, Reacted, SessionStopped
from slacksim.model import App, Channel, JsonObject, Kind, Message
from slacksim.world import World

SUBSCRIPTION = {
    Kind.PUBLIC: "message.channels",
    Kind.PRIVATE: "message.groups",
    Kind.IM: "message.im",
    Kind.MPIM: "message.mpim",
}


def of(change: Change, app: App) -> Iterator[JsonObject]:
    """The events that the app is subscribed to, for one change."""
    for event in _events(change, app):
        name = str(event["type"])
        if name == "message":
            name = SUBSCRIPTION[change.channel.kind]
        if app.events is None or name in app.events:
            yield event


def callback(event: JsonObject, world: World) -> JsonObject:
    """The outer payload of an event, with an id of its own."""
    channel = event.get("channel") or event.get("item", {}).get("channel") or ""
    context = {"tid": world.team.id, "aid": world.app.id, "cid": channel if isinstance(channel, str) else ""}
    return {
        "token": "unused",
        "team_id": world.team.id,
        "context_team_id": world.team.id,
        "context_enterprise_id": world.team.enterprise,
        "api_app_id": world.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{uuid.uuid4().hex[:10].upper()}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": world.team.enterprise,
                "team_id": None if world.app.is_enterprise_install else world.team.id,
                "user_id": world.app.user_id,
                "is_bot": True,
                "is_enterprise_install": world.app.is_enterprise_install,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": "4-" + base64.urlsafe_b64encode(json.dumps(context).encode()).decode().rstrip("="),
    }


def _events(change: Change, app: App) -> Iterator[JsonObject]:
    if isinstance(change, Left) and change.user == app.user_id:
        kind = "channel_left" if change.channel.kind is Kind.PUBLIC else "group_left"
        yield {"type": kind, "channel": change.channel.id, "event_ts": change.event_ts}
    elif isinstance(change, ChannelTouched) and change.what == "channel_created":
        if change.channel.kind is Kind.PUBLIC:
            yield _created(change)
    elif app.user_id in change.channel.members:
        yield from _member_events(change, app)


def _member_events(change: Change, app: App) -> Iterator[JsonObject]:
    match change:
        case Posted(channel, message):
            yield _message(channel, message)
            is_mention = f"<@{app.user_id}>" in message.text and message.user != app.user_id
            if (
                is_mention
                and channel.kind is not Kind.IM
                and message.subtype in {None, "file_share", "thread_broadcast"}
            ):
                yield _mention(channel, message)
        case Edited(channel, message, previous, event_ts):
            now = objects.message(channel, message, with_metadata=True)
            parts = {"message": now, "previous_message": previous}
            yield _hidden(channel, "message_changed", event_ts) | parts
        case Deleted(channel, ts, previous, event_ts):
            parts = {"deleted_ts": ts, "previous_message": previous}
            yield _hidden(channel, "message_deleted", event_ts) | parts
        case SessionStopped(channel, thread_ts, user, streams, event_ts):
            stopped = {"thread_ts": thread_ts, "user": user, "streaming_message_ts": list(streams)}
            yield {"type": "agent_session_stopped", "channel": channel.id, **stopped, "event_ts": event_ts}
        case Reacted():
            yield _reaction(change)
        case Joined(channel, user, inviter, event_ts):
            joined = _membership("member_joined_channel", channel, user, event_ts)
            yield joined | ({"inviter": inviter} if inviter and inviter != user else {})
        case Left(channel, user, event_ts):
            yield _membership("member_left_channel", channel, user, event_ts)
        case ChannelTouched(channel, what, user, event_ts) if what.startswith("channel_"):
            name = what if channel.kind is Kind.PUBLIC else what.replace("channel", "group")
            yield {"type": name, "channel": channel.id, "user": user, "is_moved": 0, "event_ts": event_ts}
        case _:
            return


def _message(channel: Channel, message: Message) -> JsonObject:
    return objects.message(channel, message, with_metadata=True) | {
        "channel": channel.id,
        "event_ts": message.ts,
        "channel_type": channel.event_channel_type,
    }


def _mention(channel: Channel, message: Message) -> JsonObject:
    event = _message(channel, message) | {"type": "app_mention"}
    for name in ("channel_type", "subtype"):
        event.pop(name, None)
    return event


def _hidden(channel: Channel, subtype: str, event_ts: str) -> JsonObject:
    return {
        "type": "message",
        "subtype": subtype,
        "channel": channel.id,
        "hidden": True,
        "ts": event_ts,
        "event_ts": event_ts,
        "channel_type": channel.event_channel_type,
    }


def _reaction(change: Reacted) -> JsonObject:
    return {
        "type": "reaction_added" if change.is_added else "reaction_removed",
        "user": change.user,
        "reaction": change.name,
        "item": {"type": "message", "channel": change.channel.id, "ts": change.message.ts},
        "item_user": change.message.user,
        "event_ts": change.event_ts,
    }


def _membership(name: str, channel: Channel, user: str, event_ts: str) -> JsonObject:
    channel_type = "C" if channel.kind is Kind.PUBLIC else "G"
    return {
        "type": name,
        "user": user,
        "channel": channel.id,
        "channel_type": channel_type,
        "event_ts": event_ts,
    }


def _created(change: ChannelTouched) -> JsonObject:
    channel = change.channel
    shown = {"id": channel.id, "name": channel.name, "created": channel.created, "creator": channel.creator}
    return {"type": "channel_created", "channel": shown, "event_ts": change.event_ts}
