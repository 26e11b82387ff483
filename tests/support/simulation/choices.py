"""Where every decision of a simulated run comes from: a seed, or a list of decisions made before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from random import Random

_SWITCH = 0.15
_CHANGES = 3
_HORIZON = 250
"""Decisions among which PCT's changes of priority fall; a run of a small scenario takes about as many."""


class Strategy(IntEnum):
    """How the next to run is chosen among those that can."""

    RANDOM = 0
    """Any of them."""
    STICKY = 1
    """Mostly the one that ran last: few preemptions, which most bugs need no more of."""
    PRIORITIES = 2
    """The one of highest priority, which falls at a few random moments (PCT, Burckhardt et al., ASPLOS 2010)."""


class Choices:
    """One run's decisions, kept as they are made; 0 is always the undramatic one.

    A script is followed first; what comes after its end is 0.
    """

    __slots__ = ("_changes", "_priorities", "_random", "_script", "_strategy", "made")

    def __init__(self, seed: int = 0, script: Sequence[int] | None = None) -> None:
        """`seed` also chooses the strategy."""
        self.made: list[int] = []
        self._script = script
        self._random = Random(seed)
        self._strategy = Strategy(seed % len(Strategy))
        self._priorities: dict[int, float] = {}
        self._changes = {self._random.randrange(_HORIZON) for _ in range(_CHANGES)}

    def pick(self, count: int) -> int:
        """A number below `count`, each as likely."""
        if count < 2:
            return 0
        return self._keep(self._scripted(count) if self._script is not None else int(self._random.random() * count))

    def fate(self, odds: Sequence[float]) -> int:
        """The place in `odds`, cumulative and below 1, of what happens; their length when nothing does is 0.

        Returns:
            0 with the probability that is left, and i with the probability of the i-th odds.
        """
        if self._script is not None:
            return self._keep(self._scripted(len(odds) + 1))
        drawn = self._random.random()
        for place, limit in enumerate(odds, 1):
            if drawn < limit:
                return self._keep(place)
        return self._keep(0)

    def turn(self, count: int, lanes: Callable[[], Sequence[int]]) -> int:
        """The place, below `count`, of the next to run among those that can; the first ran last, if it can.

        `lanes` gives the numbers of those that can run.
        """
        if count < 2:
            return 0
        if self._script is not None:
            return self._keep(self._scripted(count))
        if self._strategy is Strategy.RANDOM:
            return self._keep(int(self._random.random() * count))
        if self._strategy is Strategy.STICKY:
            return self._keep(int(self._random.random() * count) if self._random.random() < _SWITCH else 0)
        return self._keep(self._by_priority(lanes()))

    def _by_priority(self, lanes: Sequence[int]) -> int:
        priorities = self._priorities
        best, place = -1.0, 0
        for i, lane in enumerate(lanes):
            priority = priorities.get(lane)
            if priority is None:
                priority = priorities[lane] = 1 + self._random.random()
            if priority > best:
                best, place = priority, i
        if len(self.made) in self._changes:
            priorities[lanes[place]] = self._random.random()
        return place

    def _scripted(self, count: int) -> int:
        assert self._script is not None
        at = len(self.made)
        return min(self._script[at], count - 1) if at < len(self._script) else 0

    def _keep(self, choice: int) -> int:
        self.made.append(choice)
        return choice
