"""Slack's rate limits, kept on our side: what was told to wait waits, and what is only nice to have is rationed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_UPDATES_PER_SECOND = 0.6
"""Of chat.update's 50 a minute and workspace (Tier 3), 36 go to progress; the rest is left to answers."""
_APPENDS_PER_SECOND = 1.2
"""Of chat.appendStream's 100 a minute and workspace (Tier 4), 72."""
_BURST = 15.0


@dataclass(slots=True)
class _Ration:
    """What may be spent on what is only nice to have: so much a second, and a burst."""

    per_second: float
    refilled: float
    left: float = _BURST

    def take(self, now: float) -> bool:
        self.left = min(_BURST, self.left + (now - self.refilled) * self.per_second)
        self.refilled = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Limits:
    """The state of one workspace's limits in this process."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self._closed_until: dict[str, float] = {}
        self._updates = _Ration(_UPDATES_PER_SECOND, clock())
        self._appends = _Ration(_APPENDS_PER_SECOND, clock())

    def close(self, method: str, after: timedelta) -> None:
        """Remember that Slack wants no call of `method` before `after` has passed."""
        until = self._clock() + after.total_seconds()
        self._closed_until[method] = max(until, self._closed_until.get(method, 0.0))

    def pause(self, method: str) -> timedelta:
        """How long `method` has still to wait."""
        return timedelta(seconds=max(0.0, self._closed_until.get(method, 0.0) - self._clock()))

    def spare_update(self) -> bool:
        """Whether a cosmetic chat.update may go out now; takes it from the ration when so."""
        return not self.pause("chat.update") and self._updates.take(self._clock())

    def spare_append(self) -> bool:
        """The same for chat.appendStream."""
        return not self.pause("chat.appendStream") and self._appends.take(self._clock())
