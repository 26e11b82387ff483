"""views.* and blocks.validate: Block Kit outside of messages."""

from __future__ import annotations

from typing import Any

from slacksim.api.call import Call, Method
from slacksim.blocks import check
from slacksim.errors import SlackError, explained
from slacksim.model import JsonObject
from slacksim.views import MAX_VIEW_BLOCKS, View


def open_view(call: Call) -> JsonObject:
    return _shown(call.views.open(call.arguments.required("trigger_id"), _parsed_view(call)))


def push(call: Call) -> JsonObject:
    return _shown(call.views.push(call.arguments.required("trigger_id"), _parsed_view(call)))


def update(call: Call) -> JsonObject:
    given = call.arguments
    if bool(given.text("view_id")) is bool(given.text("external_id")):
        raise explained("invalid_arguments", "give exactly one of view_id, external_id")
    view = call.views.update(
        _parsed_view(call),
        view_id=given.text("view_id"),
        external_id=given.text("external_id"),
        last_hash=given.text("hash"),
    )
    return _shown(view)


def _shown(view: View) -> JsonObject:
    return {"view": view.to_json()}


def publish(call: Call) -> JsonObject:
    user = call.arguments.required("user_id")
    if user not in call.world.users:
        raise SlackError("user_not_found")
    view = _parsed_view(call)
    if view.get("type") != "home":
        raise explained("invalid_arguments", "view.type must be home")
    return {"view": call.homes.publish(call.world, user, view, last_hash=call.arguments.text("hash"))}


def validate(call: Call) -> JsonObject:
    given = [name for name in ("blocks", "message", "view") if call.arguments.text(name)]
    if len(given) != 1:
        raise explained("invalid_arguments", "give exactly one of blocks, message, view")
    if given == ["blocks"]:
        check(call.arguments.objects("blocks", "invalid_blocks_format") or [])
    else:
        _parsed_view(call, given[0])
    return {}


def _parsed_view(call: Call, argument: str = "view") -> JsonObject:
    view: Any = call.arguments.parsed(argument, "invalid_arguments")
    if not isinstance(view, dict):
        raise explained("invalid_arguments", f"must be an object: {argument}")
    shown: JsonObject = view
    check(shown.get("blocks") or [], at_most=MAX_VIEW_BLOCKS)
    return shown


METHODS = (
    Method("views.open", open_view, tier=4),
    Method("views.push", push, tier=4),
    Method("views.update", update, tier=4),
    Method("views.publish", publish, tier=4),
    Method("blocks.validate", validate, caller="anyone"),
)
