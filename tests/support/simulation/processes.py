"""Processes that run the product's code until they stop, stand still or die."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from support.simulation.loop import Lane, VirtualLoop


class Process:
    """One process: its lane, what it holds open, and whether it lives."""

    def __init__(self, loop: VirtualLoop, name: str, bury: Callable[[Process], None]) -> None:
        """`bury` is called when it has died."""
        self.loop = loop
        self.name = name
        self.lane: Lane = loop.lane(name)
        self.alive = True
        self.paused = False
        """Whether it ever stood still."""
        self.open: dict[Any, None] = {}
        self.stop: Callable[[], Coroutine[Any, Any, None]] | None = None
        """What SIGTERM does."""
        self.main: asyncio.Task[Any] | None = None
        self._bury = bury

    def run(self, coroutine: Any, name: str = "main") -> asyncio.Task[Any]:
        """Begin a task."""
        self.main = self.loop.start(self.lane, coroutine, name)
        return self.main

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while."""
        if self.alive and not self.lane.frozen:
            self.paused = True
            self.loop.freeze(self.lane, seconds)

    def die(self) -> None:
        """SIGKILL: no `finally` runs, the other ends of its connections notice soon."""
        if not self.alive:
            return
        self.alive = False
        self.loop.kill(self.lane)
        for held in list(self.open):
            held.drop()
        self.open.clear()
        self._bury(self)
