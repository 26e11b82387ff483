"""The whole of an answer that is longer than its messages: a file below them, known again by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.domain.identity import TurnId

PART = 100
"""Of the message that brings it: beyond those of any answer."""
TITLE = "The whole answer"


def name(turn: TurnId) -> str:
    """What the file is called: people may give it another title, and this stays."""
    return f"answer-{turn}.md"


def find(message: Mapping[str, Any], turn: TurnId) -> str | None:
    """The id of the file, where the message brings it and a bot has posted it."""
    files: list[dict[str, Any]] = message.get("files") or []
    ours = (file for file in files if message.get("bot_id") and file.get("name") == name(turn))
    return next((str(file["id"]) for file in ours), None)
