"""Handlers that run: a run is not over while one of a living process does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from support.simulation.processes import Process
    from support.simulation.world import World


class Handling:
    """A handler that runs, until it ends or its process does; a context manager."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    def __enter__(self) -> Self:
        self._world.busy += 1
        self._process.open[self] = None
        return self

    def __exit__(self, *_: object) -> None:
        if self in self._process.open:
            del self._process.open[self]
            self._world.busy -= 1

    def drop(self) -> None:
        """The process has died."""
        self._world.busy -= 1
