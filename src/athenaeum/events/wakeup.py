"""Waking at the moment of a commit."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Never

from athenaeum.domain.identity import EventId

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection

CHANNEL = "athenaeum_events"
_NOW = timedelta(0)
_UNTOLD = timedelta(seconds=0.5)
"""How often to look for work behind a pooler, through which no announcement comes."""
_HORIZON = timedelta(minutes=5)
"""Work that is due later than this is left to the slow poll; it bounds the number of timers."""
_GRAIN = 10
"""Timers a second at most."""


class Bell:
    """Wakes the one task that waits: at once, or when work falls due."""

    def __init__(self) -> None:
        """Not rung yet."""
        self._rung = asyncio.Event()
        self._alarms: dict[int, asyncio.TimerHandle] = {}

    def ring(self, after: timedelta = _NOW) -> None:
        """Wake the waiting task `after` a time, or its next wait when nobody waits."""
        if after <= _NOW:
            self._rung.set()
        elif after <= _HORIZON:
            loop = asyncio.get_running_loop()
            tick = math.ceil((loop.time() + after.total_seconds()) * _GRAIN)
            if tick not in self._alarms:
                self._alarms[tick] = loop.call_at(tick / _GRAIN, self._alarm, tick)

    async def wait(self, timeout: timedelta) -> None:  # noqa: ASYNC109 - not a deadline: its passing is the slow poll
        """Return when the bell is rung, or was rung since the last wait, or after `timeout`."""
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()

    def silence(self) -> None:
        """Forget the alarms."""
        for alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()

    def _alarm(self, tick: int) -> None:
        del self._alarms[tick]
        self._rung.set()


def due_in(after: timedelta) -> str:
    """What is said on `CHANNEL` of work that is due after a time."""
    return str(max(0, math.ceil(after.total_seconds() * 1000)))


async def listen(database: DatabaseConnection, bell: Bell, cancel: Callable[[EventId], None]) -> Never:
    """Ring the bell for every announcement of the queue; call `cancel` for every event cancelled while it ran.

    Runs until it is cancelled itself.
    """

    def hear(said: str | None) -> None:
        match (said or "").split():
            case ["cancel", event_id]:
                cancel(EventId(int(event_id)))
            case [milliseconds]:
                bell.ring(timedelta(milliseconds=int(milliseconds)))
            case _:
                bell.ring()

    async with database.subscriptions.subscribe(CHANNEL, hear):
        await database.subscriptions.deaf.wait()
        while True:
            bell.ring()
            await asyncio.sleep(_UNTOLD.total_seconds() * random.uniform(0.8, 1.2))  # noqa: S311 - processes look in turns
