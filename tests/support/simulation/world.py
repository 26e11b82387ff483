"""Everything that exists in one run: the clock, the store, the network, the processes."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog

from athenaeum.database.connection import DatabaseConnection
from athenaeum.worker import janitor
from athenaeum.worker.delivery import correction, posting, showing
from support.simulation.choices import Choices
from support.simulation.database import Database, tables
from support.simulation.loop import VirtualLoop
from support.simulation.network import Network, Weather
from support.simulation.processes import Process
from support.simulation.store import Store

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """One run's world. Processes are replaced when they die, as a supervisor would."""

    def __init__(self, choices: Choices, weather: Weather, *, traced: bool = False) -> None:
        """`traced` keeps every step in `trace`, which takes most of the time then."""
        self.choices = choices
        self.loop = VirtualLoop(choices)
        self.store = Store(self.now, self.loop.arrive)
        self.trace: list[str] = []
        self.network = Network(self.loop, choices, weather, self.note if traced else None)
        self.processes: list[Process] = []
        self.busy = 0
        """Handlers that run in living processes."""
        tables(self.store)

    def now(self) -> datetime:
        """The database's time."""
        return EPOCH + timedelta(seconds=self.loop.time())

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What is committed."""
        return list(self.store.tables[table].rows.values())

    def start(self, name: str, live: Callable[[Process], Any], *, again: float | None = 1.0) -> Process:
        """Run a process; when it dies, another takes its place `again` seconds later."""

        def bury(_: Process) -> None:
            self.note(process, "dies")
            if again is not None:
                self.loop.later(again, revive)

        def revive() -> None:
            self.start(f"{name}'", live, again=again)

        process = Process(self.loop, name, bury)
        self.processes.append(process)
        process.run(live(process), "main")
        return process

    def database(self, process: Process) -> DatabaseConnection:
        """A process's database connection."""
        return cast("DatabaseConnection", Database(self.store, self.network, process))

    def is_quiet(self) -> bool:
        """Whether nothing is under way and nobody stands still."""
        return self.network.under_way == 0 and not any(
            process.alive and process.lane.frozen for process in self.processes
        )

    def note(self, process: Process | None, *words: object) -> None:
        """Keep what happens for readers."""
        who = process.name if process is not None else "-"
        said = " ".join(str(word) for word in words if word != "")
        self.trace.append(f"{self.loop.time():8.3f} {who:10} {said}")


_clock: list[Callable[[], float]] = []


def _virtual() -> float:
    return _clock[-1]()


@contextmanager
def virtual_time() -> Generator[None]:
    """Let the product's own clocks be the world's, and its log silent, inside the block."""
    before = structlog.get_config()
    clocks = [(module, module.monotonic) for module in (posting, correction, showing, janitor)]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for module, _ in clocks:
        vars(module)["monotonic"] = _virtual
    try:
        yield
    finally:
        for module, clock in clocks:
            vars(module)["monotonic"] = clock
        structlog.configure(**before)


@contextmanager
def world(choices: Choices, weather: Weather, seed: int, *, traced: bool = False) -> Generator[World]:
    """A world that is taken down afterwards; chance follows the seed."""
    state = random.getstate()
    random.seed(seed)
    made = World(choices, weather, traced=traced)
    _clock.append(made.loop.time)
    try:
        yield made
    finally:
        made.loop.dispose()
        _clock.pop()
        random.setstate(state)
