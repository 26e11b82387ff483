"""views.publish and blocks.validate: Block Kit outside of messages."""

from __future__ import annotations

from typing import Any

from slacksim.api.call import Call, Method
from slacksim.blocks import check
from slacksim.errors import SlackError, explained
from slacksim.ids import stable_id
from slacksim.model import JsonObject


def publish(call: Call) -> JsonObject:
    user = call.arguments.required("user_id")
    if user not in call.world.users:
        raise SlackError("user_not_found")
    view = _parsed_view(call)
    if view.get("type") != "home":
        raise explained("invalid_arguments", "view.type must be home")
    view_id = stable_id("V", user)
    return {"view": {**view, "id": view_id, "team_id": call.world.team.id, "app_id": call.app.id}}


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
    check(shown.get("blocks") or [])
    return shown


METHODS = (
    Method("views.publish", publish, tier=4),
    Method("blocks.validate", validate, caller="anyone"),
)
