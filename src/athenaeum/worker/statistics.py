"""What a worker pool tells about itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from athenaeum.observability import metrics

_UNSETTLED = 4
"""Claims a pool may hold for each worker: those worked on, and those whose outcome is being written."""
_HORIZON = 0.005
"""Seconds of work that are claimed ahead of free workers: a claim costs some 0.5 ms, whether of 1 event or of 50."""
_AHEAD = 25
"""The most that is claimed ahead: with 100, draining gained 70 percent, and the slowest claims took twice as long."""
_WEIGHT = 0.2
"""Of the newest run in the mean of their times."""


class PoolStats(TypedDict):
    """Counts since the pool's start."""

    workers_running: int
    workers_busy: int
    total_events_processed: int
    total_events_failed: int
    total_retries: int
    leases_lost: int
    uptime_seconds: float
    utilisation: float
    """Share of the workers' time that was spent in handlers, 0 to 1."""


@dataclass(frozen=True, slots=True)
class PoolHealth:
    """True when nothing keeps the pool from taking events."""

    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


class Workload:
    """Which of the pool's workers are busy, and for how long they were."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        """All workers are idle; `clock` counts seconds."""
        self.size = size
        self._clock = clock
        self.busy = 0
        self.wanted = False
        """Somebody waits for room."""
        self._began: float | None = None
        self._worked = 0.0
        self._mean: float | None = None

    def begin(self) -> None:
        """Count the time from now on."""
        self._began = self._clock()
        metrics.WORKERS.labels("busy").set_function(lambda: self.busy)
        metrics.WORKERS.labels("idle").set_function(lambda: self.size - self.busy)

    def room(self, *, waiting: int, held: int) -> int:
        """How many events may be claimed while `waiting` have no worker yet and `held` claims are not settled."""
        ahead = self._ahead()
        room = min(self.size - self.busy + ahead - waiting, self.size * _UNSETTLED + 2 * ahead - held)
        if room < ahead / 2:  # few at a time would cost as much as many
            room = 0
        self.wanted = room <= 0
        return max(room, 0)

    def _ahead(self) -> int:
        if self._mean is None:
            return 0
        return min(_AHEAD, int(self.size * _HORIZON / max(self._mean, 1e-6)))

    def take(self) -> float:
        """A worker begins; the time, to be given back with it."""
        self.busy += 1
        return self._clock()

    def give_back(self, began: float) -> float:
        """A worker is idle again; the seconds it worked."""
        self.busy -= 1
        seconds = self._clock() - began
        self._worked += seconds
        self._mean = seconds if self._mean is None else self._mean + _WEIGHT * (seconds - self._mean)
        return seconds

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return 0.0 if self._began is None else self._clock() - self._began

    @property
    def utilisation(self) -> float:
        """Share of the workers' time that finished handlers took."""
        return self._worked / (self.size * self.uptime) if self.uptime else 0.0
