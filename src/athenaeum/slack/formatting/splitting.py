"""Pieces to parts: what is shown in one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.slack.formatting.characters import size

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_PARTS = 5
CUT = "*The answer goes on, but this is as much as fits here.*"


def parts(pieces: Iterable[str], limit: int) -> list[str]:
    """Join pieces, each of them within `limit`, to at most five parts, and say so where something is left out."""
    joined: list[str] = []
    for piece in pieces:
        if joined and size(joined[-1]) + size(piece) + 2 <= limit:
            joined[-1] += f"\n\n{piece}"
        else:
            joined.append(piece)
    if len(joined) <= MAX_PARTS:
        return joined
    return [*joined[: MAX_PARTS - 1], f"{joined[MAX_PARTS - 1]}\n\n{CUT}"]
