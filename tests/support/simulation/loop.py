"""An asyncio event loop without a clock and without I/O: time jumps to the next timer, and who runs next is chosen.

Each process has a lane, in which callbacks run in the order asyncio gives them; what arrives from outside arrives
in any order. So every schedule is one that real processes could have had.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from itertools import count
from typing import Any

from support.simulation.choices import Choices


class Endless(AssertionError):  # noqa: N818 - a verdict
    """The run took more steps than any run should: something goes round in circles."""


class Killed(BaseException):
    """Thrown into what is left of a process at the end of a run; nothing catches it."""


class Lane:
    """What one process has to do, in its order."""

    __slots__ = ("dead", "frozen", "name", "number", "ready")

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.ready: deque[asyncio.Handle] = deque()
        self.frozen = False
        self.dead = False


LANE: ContextVar[Lane | None] = ContextVar("lane", default=None)


class _Task(asyncio.Task[Any]):
    """A task that sets order by its number, not by its address: TaskGroups and `asyncio.wait` iterate over sets."""

    def __init__(self, number: int, coroutine: Coroutine[Any, Any, Any], **options: Any) -> None:
        self.number = number
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs until nothing is left that could happen. Not for more than one run."""

    def __init__(self, choices: Choices, *, most_steps: int = 60_000) -> None:
        self._choices = choices
        self._now = 0.0
        self._numbers = count(1)
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Lane]] = []
        self._arrivals: list[tuple[int, Callable[[], None]]] = []
        self._readers: dict[int, Callable[[], None]] = {}
        self._tasks: list[_Task] = []
        self._most_steps = most_steps
        self.steps = 0
        self.faults: list[dict[str, Any]] = []
        self.outside = Lane("outside", 0)
        self.current = self.outside
        self._runnable: list[Lane] = []

    # Lanes

    def lane(self, name: str) -> Lane:
        return Lane(name, next(self._numbers))

    def kill(self, lane: Lane) -> None:
        """Nothing of this lane happens any more."""
        lane.dead = True
        lane.ready.clear()
        if lane in self._runnable:
            self._runnable.remove(lane)

    def freeze(self, lane: Lane, seconds: float) -> None:
        """Stand still; what falls due meanwhile happens afterwards."""
        lane.frozen = True
        if lane in self._runnable:
            self._runnable.remove(lane)
        self.later(seconds, lambda: self._thaw(lane))

    def _thaw(self, lane: Lane) -> None:
        lane.frozen = False
        if lane.ready and not lane.dead and lane not in self._runnable:
            self._runnable.append(lane)

    def start(self, lane: Lane, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run a coroutine as a task of the lane."""
        context = Context()
        context.run(LANE.set, lane)
        task = self.create_task(coroutine, context=context)
        task.set_name(name)
        return task

    # What comes from outside

    def arrive(self, callback: Callable[[], None]) -> None:
        """Let something happen at this moment, before or after whatever else can."""
        self._arrivals.append((next(self._numbers), callback))

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Let something happen outside of every process after a time."""
        handle = asyncio.TimerHandle(self._now + seconds, callback, (), self, _EMPTY)
        heapq.heappush(self._timers, (handle.when(), next(self._numbers), handle, self.outside))

    # Running

    def run(self, settled: Callable[[], bool], *, until: float) -> bool:
        """Go on until `settled` holds at a moment when nothing is ready; False when time ran out before."""
        events._set_running_loop(self)
        try:
            while True:
                self._exhaust()
                if settled():
                    return True
                if not self._timers or self._timers[0][0] > until:
                    return False
                self._advance()
        finally:
            events._set_running_loop(None)

    def _exhaust(self) -> None:
        runnable, arrivals, choices = self._runnable, self._arrivals, self._choices
        while runnable or arrivals:
            self.steps += 1
            if self.steps > self._most_steps:
                raise Endless(f"more than {self._most_steps} steps")
            lanes = len(runnable)
            place = choices.turn(lanes + len(arrivals), self._candidates)
            if place >= lanes:
                arrivals.pop(place - lanes)[1]()
                continue
            lane = runnable[place]
            handle = lane.ready.popleft()
            self.current = lane
            if not handle.cancelled():
                handle._run()
            self.current = self.outside
            if place:
                self._front(lane)
            if not lane.ready and runnable and lane in runnable:
                runnable.remove(lane)

    def _candidates(self) -> list[int]:
        return [lane.number for lane in self._runnable] + [number for number, _ in self._arrivals]

    def _front(self, lane: Lane) -> None:
        """The lane that ran last comes first, so that the choice 0 preempts nobody."""
        if lane in self._runnable:
            self._runnable.remove(lane)
            self._runnable.insert(0, lane)

    def _advance(self) -> None:
        timers = self._timers
        self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            _, _, handle, lane = heapq.heappop(timers)
            if handle.cancelled():
                continue
            if lane is self.outside:
                handle._run()
            else:
                self._enqueue(lane, handle)

    def _enqueue(self, lane: Lane, handle: asyncio.Handle) -> None:
        if lane.dead:
            return
        if not lane.ready and not lane.frozen and lane not in self._runnable:
            self._runnable.append(lane)
        lane.ready.append(handle)

    def dispose(self) -> None:
        """Unwind every task that has not ended, without an effect on anything."""
        events._set_running_loop(self)
        try:
            for task in self._tasks:
                if not task.done():
                    task._log_destroy_pending = False  # pyright: ignore[reportAttributeAccessIssue] - asyncio's own
                    _unwind(task.get_coro())
        finally:
            events._set_running_loop(None)
            self._tasks.clear()
            self._timers.clear()

    # What asyncio asks of a loop

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> asyncio.Task[Any]:
        task = _Task(next(self._numbers), coro, loop=self, name=name or "task", context=context)
        self._tasks.append(task)
        return task

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._enqueue(self._lane_of(context), handle)
        return handle

    def call_later(
        self, delay: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        lane = self._lane_of(context)
        if not lane.dead:
            heapq.heappush(self._timers, (when, next(self._numbers), handle, lane))
        return handle

    def _lane_of(self, context: Context | None) -> Lane:
        return (context.get(LANE) if context is not None else None) or self.current

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:
        self._readers[fd] = lambda: callback(*args)

    def remove_reader(self, fd: Any) -> bool:
        return self._readers.pop(fd, None) is not None

    def readable(self, fd: int, lane: Lane) -> None:
        """Something can be read from a connection of the lane."""
        if fd in self._readers:
            self._enqueue(lane, asyncio.Handle(self._read, (fd,), self, None))

    def _read(self, fd: int) -> None:
        if reader := self._readers.get(fd):
            reader()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass


_EMPTY = Context()


def _unwind(coroutine: Any) -> None:
    for _ in range(20):
        try:
            coroutine.throw(Killed())
        except BaseException:  # noqa: BLE001 - whatever it ends with, it has ended
            return
    raise AssertionError(f"{coroutine} cannot be ended")
