"""Slack's rate limits, kept on our side: what was told to wait waits, and what is only nice to have is rationed."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_UPDATES_PER_SECOND = 0.6
"""Of chat.update's 50 a minute and workspace (Tier 3), 36 go to progress; the rest is left to answers."""
_BURST = 15.0


class Limits:
    """The state of one workspace's limits in this process."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self._closed_until: dict[str, float] = {}
        self._updates = _BURST
        self._refilled = clock()

    def close(self, method: str, after: timedelta) -> None:
        """Remember that Slack wants no call of `method` before `after` has passed."""
        until = self._clock() + after.total_seconds()
        self._closed_until[method] = max(until, self._closed_until.get(method, 0.0))

    def pause(self, method: str) -> timedelta:
        """How long `method` has still to wait."""
        return timedelta(seconds=max(0.0, self._closed_until.get(method, 0.0) - self._clock()))

    def spare_update(self) -> bool:
        """Whether a cosmetic chat.update may go out now; takes it from the ration when so."""
        now = self._clock()
        self._updates = min(_BURST, self._updates + (now - self._refilled) * _UPDATES_PER_SECOND)
        self._refilled = now
        if self._updates < 1 or self.pause("chat.update"):
            return False
        self._updates -= 1
        return True
