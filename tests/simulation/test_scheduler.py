"""The scheduler itself: repeatable, thorough, and brief about what it found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from sqlalchemy import text

from support.simulation.choices import Choices
from support.simulation.exploration import Setting, explore, minimise, run, tell
from support.simulation.loop import Endless, VirtualLoop
from support.simulation.network import CALM, Weather
from support.simulation.processes import Process
from support.simulation.scenarios import SETTINGS
from support.simulation.world import World, virtual_time


class Counter:
    """A scenario with a bug: two processes read a number, and write it back one greater."""

    name: ClassVar[str] = "counter"
    weather: ClassVar[Weather] = Weather(most_harm=0)
    patience: ClassVar[float] = 100.0

    def __init__(self, world: World) -> None:
        self._world = world
        self._value = 0
        self._done = 0

    def begin(self) -> None:
        for name in "ab":
            self._world.start(name, self._count)

    async def _count(self, process: Process) -> None:
        value = await self._ask(process, "read", None)
        await self._ask(process, "write", value + 1)
        self._done += 1

    async def _ask(self, process: Process, name: str, value: int | None) -> Any:
        def serve(reply: Any) -> None:
            if value is not None:
                self._value = value
            reply(self._value, None)

        return await self._world.network.exchange(process, lambda: name, serve, lost=OSError)

    def settled(self) -> bool:
        return self._done == 2

    def judge(self) -> Iterator[str]:
        if self._value != 2:
            yield f"counted to {self._value}"


@pytest.mark.parametrize("name", SETTINGS)
def test_a_seed_gives_the_same_run_every_time(name: str) -> None:
    with virtual_time():
        runs = [run(SETTINGS[name], seed, traced=True) for seed in (11, 11)]

    assert runs[0].choices == runs[1].choices
    assert runs[0].steps == runs[1].steps
    assert len(runs[0].trace) == len(runs[1].trace)


def test_the_choices_of_a_run_give_it_again() -> None:
    with virtual_time():
        first = run(SETTINGS["queue"], 12)
        again = run(SETTINGS["queue"], 12, first.choices)

    assert again == first


def test_a_race_is_found_and_told_in_a_few_choices() -> None:
    found = explore(Counter, range(100))

    assert found is not None
    seed, wrong = found
    shortest = minimise(Counter, seed, wrong)
    assert sum(map(bool, shortest.choices)) <= 3
    story = tell(Counter, seed, wrong)
    assert "counted to 1" in story
    assert f"python -m support.simulation counter {seed}" in story
    assert "a          asks read" in story


def test_every_strategy_finds_the_race() -> None:
    for strategy in range(3):
        assert explore(Counter, range(strategy, 300, 3)) is not None


def _loop(*lives: Any) -> VirtualLoop:
    loop = VirtualLoop(Choices(script=[]), most_steps=1000)
    for number, life in enumerate(lives):
        loop.start(loop.lane(str(number)), life, "main")
    return loop


def test_time_jumps_to_the_next_timer() -> None:
    woken: list[float] = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(loop.time())

    loop = _loop(sleep(3600), sleep(1))
    loop.run(lambda: len(woken) == 2, until=1e6)

    assert woken == [1, 3600]


def test_callbacks_of_a_process_keep_their_order() -> None:
    order: list[int] = []

    async def spawn() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(note(number))

    async def note(number: int) -> None:
        order.append(number)

    loop = _loop(spawn())
    loop.run(lambda: False, until=10)

    assert order == [0, 1, 2, 3, 4]


def test_a_killed_process_does_nothing_more_not_even_finally() -> None:
    seen: list[str] = []

    async def live() -> None:
        try:
            await asyncio.sleep(10)
        finally:
            seen.append("finally")

    loop = VirtualLoop(Choices(script=[]))
    lane = loop.lane("doomed")
    loop.start(lane, live(), "main")
    loop.later(1, lambda: loop.kill(lane))
    loop.run(lambda: False, until=100)

    assert seen == []
    loop.dispose()


def test_a_frozen_process_finds_its_timers_overdue() -> None:
    woken: list[float] = []

    async def live() -> None:
        await asyncio.sleep(2)
        woken.append(loop.time())

    loop = VirtualLoop(Choices(script=[]))
    lane = loop.lane("frozen")
    loop.start(lane, live(), "main")
    loop.later(1, lambda: loop.freeze(lane, 5))
    loop.run(lambda: bool(woken), until=100)

    assert woken == [6]


def test_what_goes_round_in_circles_is_stopped() -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110 - on purpose
            await asyncio.sleep(0)

    loop = _loop(spin())
    with pytest.raises(Endless):
        loop.run(lambda: False, until=100)
    loop.dispose()


def test_an_unknown_statement_is_refused() -> None:
    class Stranger(Counter):
        name: ClassVar[str] = "stranger"
        weather: ClassVar[Weather] = CALM

        async def _count(self, process: Process) -> None:
            async with self._world.database(process).session() as session:
                await session.execute(text("SELECT something FROM nowhere"))

    setting: Setting = Stranger
    with pytest.raises(NotImplementedError, match="SELECT something"):
        explore(setting, range(1))
