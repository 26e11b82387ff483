"""reactions.*: emoji on messages."""

from __future__ import annotations

import re

from slacksim import objects
from slacksim.api.call import Call, Method
from slacksim.errors import SlackError
from slacksim.model import JsonObject, Message

EMOJI = re.compile(r"[\w+'-]{1,100}(::skin-tone-[2-6])?")
MAX_KINDS = 23


def _target(call: Call) -> tuple[Message, str]:
    channel = call.joined()
    name = call.arguments.text("name").strip(":")
    if not EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    return call.message(channel, "timestamp"), name


def add(call: Call) -> JsonObject:
    message, name = _target(call)
    if call.world.channels[message.channel].is_archived:
        raise SlackError("is_archived")
    if name not in message.reactions and len(message.reactions) >= MAX_KINDS:
        raise SlackError("too_many_emoji")
    if not call.world.react(message, user=call.app.user_id, name=name, added=True):
        raise SlackError("already_reacted")
    return {}


def remove(call: Call) -> JsonObject:
    message, name = _target(call)
    if not call.world.react(message, user=call.app.user_id, name=name, added=False):
        raise SlackError("no_reaction")
    return {}


def get(call: Call) -> JsonObject:
    channel = call.joined()
    message = call.message(channel, "timestamp")
    return {"type": "message", "channel": channel.id, "message": objects.message(channel, message)}


METHODS = (
    Method("reactions.add", add, "reactions:write"),
    Method("reactions.remove", remove, "reactions:write", tier=2),
    Method("reactions.get", get, "reactions:read"),
)
