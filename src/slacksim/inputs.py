"""What a person fills into a view, as Slack tells it to the app."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slacksim.model import JsonObject

Given = Mapping[str, str | list[str]]
"""By action_id: the text, the value of the chosen option, or those of several."""
_SEVERAL = frozenset({"checkboxes", "multi_static_select"})
_ONE = frozenset({"radio_buttons", "static_select"})


def state(blocks: list[JsonObject], given: Given) -> JsonObject:
    """The ``state`` of a view: each input as it was filled, or as it was shown to begin with."""
    values: dict[str, JsonObject] = {}
    for block, element in _inputs(blocks):
        told = _value(element, given.get(element["action_id"]))
        values.setdefault(block["block_id"], {})[element["action_id"]] = told
    return {"values": values}


def missing(blocks: list[JsonObject], filled: JsonObject) -> list[str]:
    """The block_ids of inputs that must be filled and are not; Slack's clients don't send such a view."""
    return [
        block["block_id"]
        for block, element in _inputs(blocks)
        if block.get("type") == "input"
        and not block.get("optional")
        and not any(_said(filled["values"][block["block_id"]][element["action_id"]]))
    ]


def _inputs(blocks: list[JsonObject]) -> Iterator[tuple[JsonObject, JsonObject]]:
    for block in blocks:
        inner: list[JsonObject] = [block["element"]] if block.get("type") == "input" else block.get("elements") or []
        for element in [*inner, *([block["accessory"]] if block.get("accessory") else [])]:
            if element.get("type") in {*_ONE, *_SEVERAL, "plain_text_input"}:
                yield block, element


def _value(element: JsonObject, given: str | list[str] | None) -> JsonObject:
    kind = str(element["type"])
    if kind == "plain_text_input":
        text = element.get("initial_value") if given is None else given
        return {"type": kind, "value": text or None}
    wanted = [given] if isinstance(given, str) else given
    options: list[JsonObject] = element.get("options") or []
    chosen = [option for option in options if option.get("value") in (wanted or [])]
    if kind in _SEVERAL:
        return {"type": kind, "selected_options": (element.get("initial_options") or []) if given is None else chosen}
    return {
        "type": kind,
        "selected_option": element.get("initial_option") if given is None else next(iter(chosen), None),
    }


def _said(told: JsonObject) -> Iterator[Any]:
    return (value for name, value in told.items() if name != "type")
