"""App Home: the tab that the app publishes for each person, and what they press in it."""

from __future__ import annotations

import time
from collections.abc import Callable

from slacksim import blocks
from slacksim.errors import SlackError
from slacksim.ids import stable_id
from slacksim.model import JsonObject
from slacksim.people import Person
from slacksim.views import Views
from slacksim.world import World


class Homes:
    """The home of each person, as it was published last.

    Args:
        show: Is told whenever somebody's home is another one.
    """

    def __init__(self, show: Callable[[str, JsonObject], None]) -> None:
        self._show = show
        self._views: dict[str, JsonObject] = {}

    def forget(self) -> None:
        self._views.clear()

    def of(self, user: str) -> JsonObject | None:
        """Somebody's home; None before one was published."""
        return self._views.get(user)

    def publish(self, world: World, user: str, view: JsonObject, *, last_hash: str = "") -> JsonObject:
        """Show somebody another home; with `last_hash` only in place of the one that the app has seen."""
        before = self._views.get(user)
        if last_hash and before is not None and before["hash"] != last_hash:
            raise SlackError("hash_conflict")
        shown = [{"block_id": f"h{i}", **block} for i, block in enumerate(view.get("blocks") or [])]
        kept = {"callback_id": "", "private_metadata": "", "external_id": "", "state": {"values": {}}}
        identity = {"id": stable_id("V", user), "team_id": world.team.id, "app_id": world.app.id}
        told = {**kept, **view, **identity, "blocks": shown, "hash": f"{time.time()}", "bot_id": world.app.bot_id}
        self._views[user] = told
        self._show(user, told)
        return told

    def opened(self, person: Person, tab: str) -> JsonObject:
        """The event that tells the app that somebody looks at a tab of its."""
        channel, _ = person.world.open_direct([person.user.id, person.world.app.user_id])
        event = {"type": "app_home_opened", "user": person.user.id, "channel": channel.id, "tab": tab}
        event["event_ts"] = person.world.timestamps.next()
        view = self.of(person.user.id)
        return event if view is None or tab != "home" else event | {"view": view}

    def click(self, person: Person, action_id: str, views: Views) -> JsonObject:
        """The ``block_actions`` of a press on an element of somebody's home."""
        view = self.of(person.user.id)
        if view is None:
            raise SlackError("view_not_found", status=404)
        pressed = (each for each in blocks.elements(view["blocks"]) if each[1]["action_id"] == action_id)
        block, element = next(pressed, (None, None))
        if block is None or element is None:
            raise SlackError("action_not_found", status=404)
        action = {
            "type": element.get("type", "button"),
            "action_id": action_id,
            "block_id": block["block_id"],
            "text": element.get("text"),
            "value": element.get("value"),
            "action_ts": person.world.timestamps.next(),
        }
        world, user = person.world, person.user
        return {
            "type": "block_actions",
            "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": world.team.id},
            "api_app_id": world.app.id,
            "token": "unused",
            "container": {"type": "view", "view_id": view["id"]},
            "trigger_id": views.trigger(world, user.id),
            "team": {"id": world.team.id, "domain": world.team.domain},
            "enterprise": None,
            "is_enterprise_install": False,
            "view": view,
            "actions": [action],
        }
