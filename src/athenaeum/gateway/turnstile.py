"""How many come through an open door in a minute, whoever they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from athenaeum.tenants.limits import Rate


class Turnstile:
    """A token bucket of this process alone, for what anybody may ask who asks for nobody that we know.

    Behind a proxy all come from one address, so that addresses are not told apart.
    """

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._interval = rate.interval.total_seconds()
        self._period = rate.period.total_seconds()
        self._clock = clock
        self._full_at = clock()

    def wait(self) -> timedelta | None:
        """Go through; or how long to wait first, when too many did."""
        now = self._clock()
        full_at = max(self._full_at, now) + self._interval
        if full_at > now + self._period:
            return timedelta(seconds=full_at - self._period - now)
        self._full_at = full_at
        return None
