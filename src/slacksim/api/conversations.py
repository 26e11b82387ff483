"""conversations.*: who is where. What was said is in ``history``."""

from __future__ import annotations

import re
from collections.abc import Callable

from slacksim import objects
from slacksim.api.call import SCOPE_PREFIX, Call, Method
from slacksim.api.pages import page
from slacksim.errors import SlackError, explained
from slacksim.model import Channel, JsonObject, Kind

TYPES = {
    "public_channel": Kind.PUBLIC,
    "private_channel": Kind.PRIVATE,
    "im": Kind.IM,
    "mpim": Kind.MPIM,
}
CHANNEL_NAME = re.compile(r"[\w-]{1,80}")


def _shown(call: Call, channel: Channel) -> JsonObject:
    return objects.conversation(channel, viewer=call.app.user_id, team_id=call.world.team.id)


def shown_conversations(call: Call, is_wanted: Callable[[Channel], bool]) -> JsonObject:
    """One page of the conversations that the bot may know of and that are wanted."""
    names = call.arguments.names("types") or ["public_channel"]
    if unknown := [name for name in names if name not in TYPES]:
        raise explained("invalid_types", f"unknown type: {unknown[0]}")
    kinds = {TYPES[name] for name in names}
    for kind in sorted(kinds):
        call.require(f"{SCOPE_PREFIX[kind]}:read")
    skips_archived = call.arguments.flag("exclude_archived")
    found = [
        channel
        for channel in call.world.channels.values()
        if channel.kind in kinds
        and (channel.kind is Kind.PUBLIC or call.app.user_id in channel.members)
        and not (skips_archived and channel.is_archived)
        and is_wanted(channel)
    ]
    channels, cursor = page(found, call.arguments, key=lambda channel: channel.id)
    shown = [_shown(call, channel) for channel in channels]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def everything(call: Call) -> JsonObject:
    return shown_conversations(call, lambda _: True)


def info(call: Call) -> JsonObject:
    channel = call.channel()
    call.require(f"{SCOPE_PREFIX[channel.kind]}:read")
    shown = _shown(call, channel)
    if not call.arguments.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


def members(call: Call) -> JsonObject:
    channel = call.channel()
    call.require(f"{SCOPE_PREFIX[channel.kind]}:read")
    people, cursor = page(channel.members, call.arguments, key=str)
    return {"members": people, "response_metadata": {"next_cursor": cursor}}


def open_direct(call: Call) -> JsonObject:
    if call.arguments.text("channel"):
        channel, was_open = call.channel(), True
    else:
        people = call.arguments.names("users")
        if not people:
            raise SlackError("users_list_not_supplied")
        if any(user not in call.world.users for user in people):
            raise SlackError("user_not_found")
        call.require("im:write" if len(people) == 1 else "mpim:write")
        if len(people) > 8:
            raise SlackError("too_many_users")
        channel, was_open = call.world.open_direct([call.app.user_id, *people])
    shown = _shown(call, channel) if call.arguments.flag("return_im") else {"id": channel.id}
    return {"channel": shown} | ({"no_op": True, "already_open": True} if was_open else {})


def _changeable(call: Call) -> Channel:
    channel = call.channel()
    if channel.kind in {Kind.IM, Kind.MPIM}:
        raise SlackError("method_not_supported_for_channel_type")
    return channel


def join(call: Call) -> JsonObject:
    channel = _changeable(call)
    if channel.kind is not Kind.PUBLIC:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    was_member = call.app.user_id in channel.members
    call.world.join(channel, call.app.user_id)
    return {"channel": _shown(call, channel)} | ({"warning": "already_in_channel"} if was_member else {})


def leave(call: Call) -> JsonObject:
    channel = _changeable(call)
    if call.app.user_id not in channel.members:
        return {"not_in_channel": True}
    if channel.is_general:
        raise SlackError("cant_leave_general")
    call.world.leave(channel, call.app.user_id)
    return {}


def invite(call: Call) -> JsonObject:
    channel = _changeable(call)
    if call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    if channel.is_archived:
        raise SlackError("is_archived")
    people = call.arguments.names("users")
    if not people:
        raise SlackError("no_user")
    for user in people:
        if user not in call.world.users:
            raise SlackError("user_not_found")
        if user == call.app.user_id:
            raise SlackError("cant_invite_self")
        if user in channel.members:
            raise SlackError("already_in_channel")
    for user in people:
        call.world.join(channel, user, inviter=call.app.user_id)
    return {"channel": _shown(call, channel)}


def kick(call: Call) -> JsonObject:
    channel = _changeable(call)
    if call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    user = call.arguments.required("user")
    if user == call.app.user_id:
        raise SlackError("cant_kick_self")
    if user not in channel.members:
        raise SlackError("not_in_channel")
    call.world.leave(channel, user)
    return {"errors": {}}


def archive(call: Call) -> JsonObject:
    channel = _changeable(call)
    if channel.is_archived:
        raise SlackError("already_archived")
    if channel.is_general:
        raise SlackError("cant_archive_general")
    if call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    call.world.set_archived(channel, call.app.user_id, archived=True)
    return {}


def create(call: Call) -> JsonObject:
    name = call.arguments.required("name")
    if not CHANNEL_NAME.fullmatch(name) or name != name.lower():
        raise SlackError("invalid_name_specials" if len(name) <= 80 else "invalid_name_maxlength")
    if call.world.find_channel(f"#{name}") is not None:
        raise SlackError("name_taken")
    private = call.arguments.flag("is_private")
    channel = call.world.create_channel(name, call.app.user_id, members=(), private=private)
    return {"channel": _shown(call, channel)}


METHODS = (
    Method("conversations.list", everything, tier=2),
    Method("conversations.info", info),
    Method("conversations.members", members, tier=4),
    Method("conversations.open", open_direct),
    Method("conversations.join", join, "channels:join"),
    Method("conversations.leave", leave, "channels:manage"),
    Method("conversations.invite", invite, "channels:manage"),
    Method("conversations.kick", kick, "channels:manage"),
    Method("conversations.archive", archive, "channels:manage", tier=2),
    Method("conversations.create", create, "channels:manage", tier=2),
)
