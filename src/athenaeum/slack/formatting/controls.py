"""Buttons that go with a turn's message; the value of each is the id of the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.domain.identity import TurnId

STOP = "athenaeum_stop"
"""The `action_id` of the button that stops a turn."""


def stop_button(turn: TurnId) -> Mapping[str, Any]:
    """The row with Stop, while an answer is made."""
    return {"type": "actions", "elements": [_button("Stop", STOP, turn)]}


def paragraph(text: str) -> Mapping[str, Any]:
    """A text in which nothing means anything."""
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _button(text: str, action: str, turn: TurnId) -> dict[str, Any]:
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "text": label, "action_id": action, "value": str(turn)}
