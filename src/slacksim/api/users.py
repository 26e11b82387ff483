"""users.*: the people of the workspace."""

from __future__ import annotations

from slacksim import objects
from slacksim.api.call import Call, Method
from slacksim.api.conversations import shown_conversations
from slacksim.api.pages import page
from slacksim.errors import SlackError
from slacksim.model import JsonObject, User


def _person(call: Call, argument: str = "user") -> User:
    user = call.world.users.get(call.arguments.required(argument))
    if user is None:
        raise SlackError("user_not_found")
    return user


def info(call: Call) -> JsonObject:
    return {"user": objects.user(_person(call), call.world.team.id)}


def everybody(call: Call) -> JsonObject:
    people = list(call.world.users.values())
    shown, cursor = page(people, call.arguments, key=lambda user: user.id, default=1000)
    return {
        "members": [objects.user(user, call.world.team.id) for user in shown],
        "cache_ts": 0,
        "response_metadata": {"next_cursor": cursor},
    }


def by_email(call: Call) -> JsonObject:
    email = call.arguments.required("email").lower()
    people = call.world.users.values()
    user = next((user for user in people if not user.is_bot and user.email == email), None)
    if user is None:
        raise SlackError("users_not_found")
    return {"user": objects.user(user, call.world.team.id)}


def profile(call: Call) -> JsonObject:
    user = _person(call) if call.arguments.text("user") else call.world.users[call.app.user_id]
    return {"profile": objects.user(user, call.world.team.id)["profile"]}


def conversations(call: Call) -> JsonObject:
    """The conversations of a person, as far as the bot may know of them."""
    member = _person(call).id if call.arguments.text("user") else call.app.user_id
    return shown_conversations(call, lambda channel: member in channel.members)


METHODS = (
    Method("users.info", info, "users:read", tier=4),
    Method("users.list", everybody, "users:read", tier=2),
    Method("users.lookupByEmail", by_email, "users:read.email"),
    Method("users.profile.get", profile, "users.profile:read", tier=4),
    Method("users.conversations", conversations),
)
