"""Modals: a trigger opens one, others are stacked on it, and the app's answer to a submission says what follows."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slacksim.blocks import check
from slacksim.errors import SlackError, explained
from slacksim.model import JsonObject
from slacksim.world import World

TRIGGER_SECONDS = 3.0
MAX_STACK = 3
MAX_VIEW_BLOCKS = 100
MAX_TITLE = 24
MAX_METADATA = 3_000
MAX_VIEW_BYTES = 250_000


@dataclass(slots=True)
class Trigger:
    """What somebody's click or command gives leave for: one view, soon."""

    world: World
    user: str
    expires: float
    is_used: bool = False


@dataclass(slots=True)
class View:
    """A modal in front of somebody; `content` is what the app gave."""

    id: str
    world: World
    user: str
    content: JsonObject
    hash: str
    root: str
    previous: str | None = None

    def to_json(self) -> JsonObject:
        """The view as Slack shows it to the app."""
        app = self.world.app
        beginning: JsonObject = {"private_metadata": "", "callback_id": "", "external_id": "", "state": {"values": {}}}
        return {
            **beginning,
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": None,
            **self.content,
            "id": self.id,
            "team_id": self.world.team.id,
            "app_id": app.id,
            "bot_id": app.bot_id,
            "app_installed_team_id": self.world.team.id,
            "hash": self.hash,
            "root_view_id": self.root,
            "previous_view_id": self.previous,
        }


class Views:
    """The modals that stand open, the newest of each person on top.

    Args:
        show: Is told whenever another view stands on top for somebody, or none.
    """

    def __init__(self, show: Callable[[str, JsonObject | None], None]) -> None:
        self._show = show
        self._triggers: dict[str, Trigger] = {}
        self._stacks: dict[str, list[View]] = {}

    def forget(self) -> None:
        self._triggers.clear()
        self._stacks.clear()

    def trigger(self, world: World, user: str) -> str:
        """A new ``trigger_id``, good for one view within three seconds."""
        key = f"{time.time_ns() // 1_000_000}.{time.time_ns() % 10**12}.{secrets.token_hex(16)}"
        self._triggers[key] = Trigger(world, user, time.monotonic() + TRIGGER_SECONDS)
        return key

    def open(self, trigger_id: str, content: JsonObject) -> View:
        """Show a modal, in place of those that stand open."""
        checked(content)
        trigger = self._exchange(trigger_id)
        self._stacks[trigger.user] = []
        return self._put(trigger, content)

    def push(self, trigger_id: str, content: JsonObject) -> View:
        """Show a modal on top of those that stand open."""
        checked(content)
        trigger = self._exchange(trigger_id)
        stack = self._stacks.get(trigger.user) or []
        if not stack:
            raise SlackError("not_found")
        if len(stack) >= MAX_STACK:
            raise SlackError("push_limit_reached")
        return self._put(trigger, content)

    def update(self, content: JsonObject, *, view_id: str = "", external_id: str = "", last_hash: str = "") -> View:
        """Change a modal; with `last_hash` only as long as it is the one that the app has seen."""
        checked(content)
        view = self._find(view_id, external_id)
        if last_hash and last_hash != view.hash:
            raise SlackError("hash_conflict")
        self._change(view, content)
        return view

    def top(self, user: str) -> JsonObject | None:
        """What somebody has before them."""
        stack = self._stacks.get(user)
        return stack[-1].to_json() if stack else None

    def on_top(self, user: str, view_id: str) -> View:
        """The view of this id, which must be the one that they have before them."""
        stack = self._stacks.get(user)
        if not stack or stack[-1].id != view_id:
            raise SlackError("view_not_found", status=404)
        return stack[-1]

    def close(self, view: View, *, all_of_them: bool = False) -> None:
        """The person leaves a modal, and finds the one below it."""
        stack = self._stacks[view.user]
        del stack[0 if all_of_them else stack.index(view) :]
        self._tell(view.user)

    def answered(self, view: View, answer: JsonObject) -> JsonObject:
        """Does what the app answered to a submission; gives the errors to be shown, by block_id."""
        match answer.get("response_action"):
            case "errors":
                return answer.get("errors") or {}
            case "update":
                self._change(view, checked(answer.get("view")))
            case "push":
                self._put(Trigger(view.world, view.user, 0.0), checked(answer.get("view")))
            case "clear":
                self.close(view, all_of_them=True)
            case _:
                self.close(view)
        return {}

    def _exchange(self, trigger_id: str) -> Trigger:
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.is_used:
            raise SlackError("exchanged_trigger_id")
        if trigger.expires < time.monotonic():
            raise SlackError("expired_trigger_id")
        trigger.is_used = True
        return trigger

    def _put(self, trigger: Trigger, content: JsonObject) -> View:
        stack = self._stacks.setdefault(trigger.user, [])
        external = content.get("external_id")
        if external and any(view.content.get("external_id") == external for view in self._all()):
            raise SlackError("duplicate_external_id")
        view_id = f"V{secrets.token_hex(5).upper()}"
        root, previous = (stack[0].id, stack[-1].id) if stack else (view_id, None)
        view = View(view_id, trigger.world, trigger.user, _identified(content), _new_hash(), root, previous)
        stack.append(view)
        self._tell(view.user)
        return view

    def _change(self, view: View, content: JsonObject) -> None:
        view.content, view.hash = _identified(content), _new_hash()
        self._tell(view.user)

    def _find(self, view_id: str, external_id: str) -> View:
        for view in self._all():
            if view_id == view.id or (external_id and external_id == view.content.get("external_id")):
                return view
        raise SlackError("not_found")

    def _all(self) -> list[View]:
        return [view for stack in self._stacks.values() for view in stack]

    def _tell(self, user: str) -> None:
        self._show(user, self.top(user))


def checked(content: Any) -> JsonObject:
    """A modal's content, refused as Slack refuses it."""
    if not isinstance(content, dict):
        raise explained("invalid_arguments", "must be an object: view")
    view: JsonObject = content
    problems: list[str] = []
    if view.get("type") != "modal":
        problems.append("view.type must be modal")
    if not 0 < len(str((view.get("title") or {}).get("text", ""))) <= MAX_TITLE:
        problems.append(f"must be 1 to {MAX_TITLE} characters: view.title")
    blocks: list[JsonObject] = view.get("blocks") or []
    if any(block.get("type") == "input" for block in blocks) and not view.get("submit"):
        problems.append("missing required field: view.submit, since there are inputs")
    if len(str(view.get("private_metadata") or "")) > MAX_METADATA:
        problems.append(f"must be less than {MAX_METADATA + 1} characters: view.private_metadata")
    if problems:
        raise explained("invalid_arguments", *problems)
    if len(json.dumps(view)) > MAX_VIEW_BYTES:
        raise SlackError("view_too_large")
    check(blocks, at_most=MAX_VIEW_BLOCKS)
    return view


def _identified(content: JsonObject) -> JsonObject:
    blocks = [{"block_id": secrets.token_hex(3), **block} for block in content.get("blocks") or []]
    return {**content, "blocks": blocks}


def _new_hash() -> str:
    return f"{time.time():.0f}.{secrets.token_hex(4)}"
