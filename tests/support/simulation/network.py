"""What happens between a process and those it talks to: messages are late or lost, and processes die of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from support.simulation.choices import Choices
from support.simulation.loop import VirtualLoop

if TYPE_CHECKING:
    from support.simulation.processes import Process

Reply = Callable[[Any, Exception | None], None]


class Fate(IntEnum):
    """What becomes of a question and its answer."""

    AT_ONCE = 0
    LATE = 1
    """The question arrives after a while."""
    LATE_ANSWER = 2
    LOST = 3
    """The connection breaks before the question arrives."""
    LOST_ANSWER = 4
    """It breaks after the question was answered."""
    DEATH = 5
    """The process dies before the question leaves it."""
    DEATH_AFTER = 6
    """The process dies; its question arrives all the same."""
    FREEZE = 7
    """The process stands still from now on, for longer than a lease."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely each fate is, and how many of those that hurt there may be in one run."""

    late: float = 0.03
    late_answer: float = 0.03
    lost: float = 0.01
    lost_answer: float = 0.015
    death: float = 0.01
    death_after: float = 0.015
    freeze: float = 0.02
    most_harm: int = 3
    delays: Sequence[float] = (0.01, 0.4, 2.0, 6.0)
    freezes: Sequence[float] = (5.0, 9.0, 1.0)

    def odds(self) -> tuple[float, ...]:
        """Cumulative, in the order of `Fate`."""
        total, odds = 0.0, list[float]()
        for name in ("late", "late_answer", "lost", "lost_answer", "death", "death_after", "freeze"):
            total += getattr(self, name)
            odds.append(total)
        return tuple(odds)


CALM = Weather(late=0, late_answer=0, most_harm=0)


class Network:
    """Carries questions and answers; every one of them is a place where schedules part."""

    def __init__(self, loop: VirtualLoop, choices: Choices, weather: Weather, note: Callable[..., None] | None) -> None:
        """`note` is told what happens, where somebody wants to read it."""
        self.loop = loop
        self.choices = choices
        self.weather = weather
        self._odds = weather.odds()
        self._harm = choices.pick(weather.most_harm + 1)
        self._note = note
        self.under_way = 0
        """Questions that have not been answered yet."""

    def calm(self) -> None:
        """From now on nothing is lost and nobody dies."""
        self._harm = 0

    def harms(self) -> bool:
        """Whether anything bad may still happen in this run."""
        return self._harm > 0

    def note(self, process: Process, *words: object) -> None:
        if self._note is not None:
            self._note(process, *words)

    async def exchange(
        self,
        process: Process,
        name: Callable[[], str],
        serve: Callable[[Reply], None],
        *,
        lost: Callable[[], Exception],
        cancel: Callable[[], None] | None = None,
    ) -> Any:
        """Let the other side `serve` a question, and give its answer or raise what came instead.

        Args:
            process: Who asks.
            name: Of the question, for readers.
            serve: Called when the question arrives; calls its argument when there is an answer.
            lost: What the process sees when the connection breaks.
            cancel: Called when the asking task is cancelled before the question has arrived, which it then doesn't;
                without it the question goes its way.
        """
        fate = self._decide(process)
        answer: asyncio.Future[Any] = self.loop.create_future()
        if self._note is not None:
            self.note(process, "asks", name(), "" if fate is Fate.AT_ONCE else fate.name)
        if fate is Fate.DEATH:
            process.die()
        question = _Question(self, process, name, serve, answer, lost, fate)
        if fate is Fate.LOST:
            self.loop.arrive(lambda: _fail(answer, lost()))
        elif fate is not Fate.DEATH:
            late = fate is Fate.LATE or (fate is Fate.DEATH_AFTER and self.choices.pick(3) == 1)
            self._send(question.arrive, late)
            if fate is Fate.DEATH_AFTER:
                process.die()
            elif fate is Fate.FREEZE:
                process.freeze(self.weather.freezes[self.choices.pick(len(self.weather.freezes))])
        try:
            return await answer
        except asyncio.CancelledError:
            if cancel is not None and not question.arrived:
                question.arrived = True
                self.under_way -= 1
                cancel()
            raise

    def _decide(self, process: Process) -> Fate:
        if self._harm:
            fate = Fate(self.choices.fate(self._odds))
            if process.paused and fate in {Fate.DEATH, Fate.DEATH_AFTER}:
                # Between a progress text it sent too late and the correction: then nobody makes that one.
                return Fate.AT_ONCE
            self._harm -= fate >= Fate.LOST
            return fate
        return Fate(self.choices.fate(self._odds[:2])) if self._odds[1] else Fate.AT_ONCE

    def _send(self, callback: Callable[[], None], late: bool) -> None:
        self.under_way += 1
        if late:
            delay = self.weather.delays[self.choices.pick(len(self.weather.delays))]
            self.loop.later(delay, lambda: self.loop.arrive(callback))
        else:
            self.loop.arrive(callback)

    def answer(self, question: _Question, value: Any, error: Exception | None) -> None:
        """Bring an answer back."""
        if self._note is not None:
            self.note(question.process, "hears", question.name(), type(error).__name__ if error else repr(value))
        if question.fate is Fate.LOST_ANSWER:
            value, error = None, question.lost()
        self._send(lambda: self._bring(question.answer, value, error), question.fate is Fate.LATE_ANSWER)

    def _bring(self, answer: asyncio.Future[Any], value: Any, error: Exception | None) -> None:
        self.under_way -= 1
        if error is not None:
            _fail(answer, error)
        elif not answer.done():
            answer.set_result(value)


class _Question:
    __slots__ = ("answer", "arrived", "fate", "lost", "name", "network", "process", "serve")

    def __init__(
        self,
        network: Network,
        process: Process,
        name: Callable[[], str],
        serve: Callable[[Reply], None],
        answer: asyncio.Future[Any],
        lost: Callable[[], Exception],
        fate: Fate,
    ) -> None:
        self.network = network
        self.process = process
        self.name = name
        self.serve = serve
        self.answer = answer
        self.lost = lost
        self.fate = fate
        self.arrived = False

    def arrive(self) -> None:
        if self.arrived:
            return
        self.arrived = True
        self.network.under_way -= 1
        self.serve(self.reply)

    def reply(self, value: Any, error: Exception | None) -> None:
        self.network.answer(self, value, error)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
