"""What a stream grows by: text, and tasks with their state (docs.slack.dev, "Text streaming")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Chunk = Mapping[str, Any]

_MAX_TITLE = 256


def words(text: str) -> Chunk:
    """More of the text."""
    return {"type": "markdown_text", "text": text}


def task(name: str, title: str, *, done: bool) -> Chunk:
    """A card with what is being done; the next one of the same name takes its place."""
    status = "complete" if done else "in_progress"
    return {"type": "task_update", "id": name, "title": title[:_MAX_TITLE], "status": status}
