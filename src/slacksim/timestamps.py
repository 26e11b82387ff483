"""Slack's message timestamps: unique within the workspace, growing, with microseconds."""

from __future__ import annotations

import time


class Timestamps:
    """Hands out message timestamps; two calls never return the same one, and a later one sorts later."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        self._last = max(time.time_ns() // 1_000, self._last + 1)
        return written(self._last)


def written(microseconds: int) -> str:
    """The ts string of a moment given in microseconds since the epoch."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{seconds:010d}.{rest:06d}"


def seconds_ago(seconds: float) -> str:
    return written(time.time_ns() // 1_000 - int(seconds * 1_000_000))
