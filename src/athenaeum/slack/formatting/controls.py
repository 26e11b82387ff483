"""Buttons that go with a turn's message; the value of each is the id of the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from athenaeum.slack.formatting.rendering import Rendered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from athenaeum.domain.identity import AppointmentId, TurnId

STOP, AGAIN, REVEAL = "athenaeum_stop", "athenaeum_again", "athenaeum_reveal"
"""The `action_id`s of the buttons that stop a turn, begin a failed one again, and show its asker private extras."""


CALL_OFF = "athenaeum_call_off"
"""The `action_id` of the button that ends a digest or a reminder; its value is that one's id."""
FEEDBACK = "athenaeum_feedback"
"""The `action_id` of the pair of feedback buttons, and the beginning of those of single ones."""
_SIDES = (("positive", "up", "Helpful"), ("negative", "down", "Not helpful"))


def stop_button(turn: TurnId) -> Mapping[str, Any]:
    """The row with Stop, while an answer is made."""
    return {"type": "actions", "elements": [_button("Stop", STOP, turn)]}


def again(turn: TurnId) -> Sequence[Mapping[str, Any]]:
    """Below an apology: Try again, and the number by which the turn is found in the log."""
    number = {"type": "plain_text", "text": f"Number {str(turn)[:8]}", "emoji": False}
    return (
        {"type": "actions", "elements": [_button("Try again", AGAIN, turn)]},
        {"type": "context", "elements": [number]},
    )


def feedback(turn: TurnId) -> Sequence[Mapping[str, Any]]:
    """Below an answer: whether it was of use, as Slack's own pair of buttons, which remembers what was pressed."""
    sides = {f"{side}_button": _side(label, f"{verdict}:{turn}") for side, verdict, label in _SIDES}
    return ({"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": FEEDBACK, **sides}]},)


def plain_feedback(turn: TurnId) -> Sequence[Mapping[str, Any]]:
    """The same for a Slack that doesn't know that pair."""
    buttons = [
        {**_button(label, f"{FEEDBACK}_{verdict}", turn), "value": f"{verdict}:{turn}"} for _, verdict, label in _SIDES
    ]
    return ({"type": "actions", "elements": buttons},)


def render_offer(turn: TurnId, found: int) -> Rendered:
    """Beside an answer, for its asker alone: that there is more, and the button that shows it to them."""
    passages = "one passage" if found == 1 else f"{found} passages"
    text = f"I found {passages} about this in places that not everyone here can read. Only you can see this message."
    row = {"type": "actions", "elements": [_button("Show privately", REVEAL, turn)]}
    return Rendered(text, (paragraph(text), row), text)


def call_off(appointment: AppointmentId, label: str) -> Sequence[Mapping[str, Any]]:
    """Below what somebody asked to have said: that there shall be no more of it."""
    return ({"type": "actions", "elements": [_button(label, CALL_OFF, appointment)]},)


def paragraph(text: str) -> Mapping[str, Any]:
    """A text in which nothing means anything."""
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _side(label: str, value: str) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": label}, "accessibility_label": label, "value": value}


def _button(text: str, action: str, value: UUID) -> dict[str, Any]:
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "text": label, "action_id": action, "value": str(value)}
