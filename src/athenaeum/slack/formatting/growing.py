"""How much of a text that still grows can be shown where nothing is taken back."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_OPEN = re.compile(r"[*_`~<>\[\]|#\\!&:/@]")
"""What may read differently when more comes: marks that wait for their other half, and addresses."""


def settled(text: str) -> str:
    """The beginning of `text` that most likely reads the same whatever comes after it.

    Whole blocks, and of the last one the words before the first that could become something else. Whether it does
    read the same is for the caller to see.
    """
    head, joint, tail = _unfenced(text).rpartition("\n\n")
    found = _OPEN.search(tail)
    plain = tail if found is None else tail[: found.start()]
    words = plain[: max(plain.rfind(" "), plain.rfind("\n"), 0)]
    return f"{head}{joint}{words}".rstrip()


def _unfenced(text: str) -> str:
    """The text without the code block that is not closed yet."""
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1][0] == opened[1][0] and len(fence[1]) >= len(opened[1]):
            opened = None
    return text if opened is None else text[: opened.start()]
