"""Looking for a schedule that breaks the promise, and telling of it in as few words as possible."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from support.simulation.choices import Choices
from support.simulation.loop import Endless
from support.simulation.network import Weather
from support.simulation.world import World, virtual_time, world

_COLLECT = 50
"""Runs between two collections of their garbage, which are cycles all."""


class Scenario(Protocol):
    """What happens in a world, and what must hold at its end."""

    name: ClassVar[str]
    weather: ClassVar[Weather]
    patience: ClassVar[float]
    """Virtual seconds after which it counts as never ending."""

    def __init__(self, world: World) -> None: ...

    def begin(self) -> None: ...

    def settled(self) -> bool: ...

    def judge(self) -> Iterator[str]: ...


Setting = type[Scenario]


@dataclass(frozen=True, slots=True)
class Run:
    """One schedule: what was decided in it, and what was wrong at its end."""

    wrong: tuple[str, ...]
    choices: tuple[int, ...] = field(repr=False)
    trace: Sequence[str] = field(default=(), repr=False)
    steps: int = 0
    seconds: float = 0.0


def run(setting: Setting, seed: int, script: Sequence[int] | None = None, *, traced: bool = False) -> Run:
    """One run of a scenario, by a seed or by a script of choices."""
    choices = Choices(seed, script)
    with world(choices, setting.weather, seed, traced=traced) as made:
        scenario = setting(made)
        scenario.begin()
        wrong: list[str] = []
        try:
            if not made.loop.run(scenario.settled, until=scenario.patience):
                wrong.append(f"not settled after {scenario.patience:.0f} s")
        except Endless as endless:
            wrong.append(str(endless))
        wrong += [f"{fault.get('message')}: {fault.get('exception')!r}" for fault in made.loop.faults]
        wrong += scenario.judge()
        return Run(tuple(wrong), tuple(choices.made), made.trace, made.loop.steps, made.loop.time())


def explore(setting: Setting, seeds: Iterator[int] | range) -> tuple[int, Run] | None:
    """The first seed whose run goes wrong, or None."""
    with virtual_time(), _tidy():
        for nth, seed in enumerate(seeds):
            found = run(setting, seed)
            if found.wrong:
                return seed, found
            if nth % _COLLECT == 0:
                gc.collect()
    return None


class _tidy:  # noqa: N801 - a with-block, like contextlib's
    def __enter__(self) -> None:
        self._was = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._was:
            gc.enable()
        gc.unfreeze()


def minimise(setting: Setting, seed: int, found: Run, *, most: int = 600) -> Run:
    """The same kind of failure by fewer unusual choices: delta debugging, every choice set to 0 that may be.

    Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 2002; `most` runs at most.
    """
    with virtual_time():
        search = _Search(lambda script: run(setting, seed, script), most)
        return search.reduce(found)


class _Search:
    def __init__(self, attempt: Callable[[Sequence[int]], Run], most: int) -> None:
        self._attempt = attempt
        self._left = most

    def reduce(self, found: Run) -> Run:
        best = found
        size = max(1, len(best.choices) // 2)
        while size and self._left > 0:
            at, shrunk = 0, False
            while at < len(best.choices) and self._left > 0:
                part = best.choices[at : at + size]
                if any(part):
                    smaller = self._try([*best.choices[:at], *[0] * len(part), *best.choices[at + size :]])
                    if smaller is not None and _drama(smaller) < _drama(best):
                        best, shrunk = smaller, True
                at += size
            size = size if shrunk and size == 1 else size // 2
        return best

    def _try(self, script: Sequence[int]) -> Run | None:
        self._left -= 1
        result = self._attempt(script)
        return result if result.wrong else None


def _drama(found: Run) -> tuple[int, int]:
    return sum(map(bool, found.choices)), len(found.choices)


def tell(setting: Setting, seed: int, found: Run) -> str:
    """What went wrong, how to see it again, and the shortest story that was found."""
    shortest = minimise(setting, seed, found)
    with virtual_time():
        told = run(setting, seed, shortest.choices, traced=True)
    unusual = sum(map(bool, shortest.choices))
    return "\n".join(
        [
            f"{setting.name}, seed {seed}: {'; '.join(found.wrong)}",
            f"again: PYTHONPATH=tests .venv/bin/python -m support.simulation {setting.name} {seed}",
            f"minimised to {unusual} unusual choices of {len(shortest.choices)}: {'; '.join(told.wrong)}",
            *told.trace,
        ]
    )
