"""The modal that asks why an answer was of no help."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from athenaeum.domain.identity import TurnId

if TYPE_CHECKING:
    from collections.abc import Mapping

REASON = "athenaeum_reason"
"""The `callback_id` of the modal, and the name of its one input."""
_LONGEST = 2_000


def reason_modal(turn: TurnId, at: datetime, reason: str | None) -> Mapping[str, Any]:
    """The modal for the word that somebody gave `at` this time, with the reason that they gave before."""
    element = {"type": "plain_text_input", "action_id": REASON, "multiline": True, "max_length": _LONGEST}
    return {
        "type": "modal",
        "callback_id": REASON,
        "private_metadata": f"{turn} {at.isoformat()}",
        "title": _plain("Not helpful"),
        "submit": _plain("Send"),
        "close": _plain("Skip"),
        "blocks": [
            {
                "type": "input",
                "block_id": REASON,
                "label": _plain("What was wrong, or missing?"),
                "hint": _plain("Who looks after me here reads it, beside the question."),
                "element": {**element, "initial_value": reason} if reason else element,
            }
        ],
    }


def read_occasion(private_metadata: str) -> tuple[TurnId, datetime]:
    """The turn and the time that `reason_modal` wrote down.

    Raises:
        ValueError: It wrote something else.
    """
    turn, _, at = private_metadata.partition(" ")
    return TurnId(UUID(turn)), datetime.fromisoformat(at)


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
