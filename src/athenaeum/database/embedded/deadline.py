"""Waiting that ends: at a time limit, or as soon as the waiting caller is cancelled."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Event

_PAUSE = 0.02  # seconds; a warm start answers after about 50 ms


class Abandoned(Exception):  # noqa: N818 - not an error: the caller has gone
    """The caller was cancelled, so the work in its thread stops at its next pause."""


class Deadline:
    """A time limit for one operation that runs in a thread."""

    def __init__(self, limit: timedelta, abandoned: Event | None = None) -> None:
        """`abandoned` is set by the caller that no longer waits; None when it always waits to the end."""
        self._started = time.monotonic()
        self._limit = limit.total_seconds()
        self._abandoned = abandoned or Event()
        self._passed: set[float] = set()

    @property
    def elapsed(self) -> float:
        """Seconds since the operation began."""
        return time.monotonic() - self._started

    def passes(self, seconds: float) -> bool:
        """Whether so much time has gone by, True once: for a note that is worth writing one time."""
        if self.elapsed < seconds or seconds in self._passed:
            return False
        self._passed.add(seconds)
        return True

    def pause(self) -> None:
        """Let a moment pass.

        Raises:
            TimeoutError: The limit is reached.
            Abandoned: The caller has gone.
        """
        if self._abandoned.wait(_PAUSE):
            raise Abandoned
        if self.elapsed > self._limit:
            raise TimeoutError
