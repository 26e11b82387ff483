"""What a person typed where nobody sees it, said again where the answer will stand."""

from __future__ import annotations

from athenaeum.domain.secret import mask
from athenaeum.slack.formatting.characters import entities
from athenaeum.slack.formatting.controls import paragraph
from athenaeum.slack.formatting.rendering import Rendered

_LONGEST = 2_500


def render_typed(question: str) -> Rendered:
    """The message that stands for a question that was typed as a command; nothing in its words means anything."""
    words = shortened(question, _LONGEST)
    note = {"type": "context", "elements": [{"type": "plain_text", "text": "You asked by command:", "emoji": False}]}
    text = f"You asked by command: {entities(words)}"
    return Rendered(text, (note, paragraph(words)), text)


def shortened(words: str, length: int) -> str:
    """The words without secrets, cut where they are too long."""
    told = " ".join(mask(words).split())
    return told if len(told) <= length else told[: length - 1].rstrip() + "…"
