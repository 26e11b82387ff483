"""Writing down what became of events."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from athenaeum.database.link import FAULTS, Backoff
from athenaeum.domain.event import Event
from athenaeum.events import queue
from athenaeum.events.retry import Abandon, Decision, Fail, Finish, Release, Retry
from athenaeum.observability import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from athenaeum.database.link import Link
    from athenaeum.worker.lease import Leases

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended; `error` is empty when it ended well."""

    event: Event
    decision: Decision
    error: str = ""


@dataclass(slots=True)
class Outcomes:
    """One writer for a process: what ended while it was writing goes into the next batch.

    Nothing is given up while the pool runs: with the database away outcomes wait here, their leases held.
    """

    link: Link
    leases: Leases
    written: Callable[[timedelta | None], None]
    """Called after each batch: with the time until an event is due that waited for one of them, if any did."""
    processed: int = 0
    failed: int = 0
    retries: int = 0
    _finished: list[Event] = field(default_factory=list[Event])
    _others: deque[Outcome] = field(default_factory=deque[Outcome])
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False

    def add(self, outcome: Outcome) -> None:
        """Write it soon."""
        if isinstance(outcome.decision, Finish):
            self._finished.append(outcome.event)
        else:
            self._others.append(outcome)
        self._arrived.set()

    def close(self) -> None:
        """Let `write` end when nothing waits any more."""
        self._closing = True
        self._arrived.set()

    async def write(self) -> None:
        """Write outcomes as they come, until closed."""
        backoff = Backoff()
        while True:
            if not self._finished and not self._others:
                if self._closing:
                    return
                self._arrived.clear()
                await self._arrived.wait()
            try:
                next_in = await self._write_finished()
                while self._others:
                    await self._write_one(self._others[0])
                    self._others.popleft()
                self.written(next_in)
                backoff.reset()
            except FAULTS as error:
                log.warning("outcomes.delayed", error=type(error).__name__)
                await asyncio.sleep(backoff.next().total_seconds())

    async def _write_finished(self) -> timedelta | None:
        if not (batch := self._finished.copy()):
            return None
        completion = await queue.complete(self.link, batch)
        del self._finished[: len(batch)]
        self.processed += len(completion.done)
        for event in batch:
            self._settle(event, "completed", held=event.id in completion.done)
        return completion.next_in

    async def _write_one(self, outcome: Outcome) -> None:
        event = outcome.event
        match outcome.decision:
            case Retry(after):
                held = await queue.retry(self.link, event, outcome.error, after=after)
                self.retries += held
                self._settle(event, "retried", held=held)
            case Fail():
                held = await queue.fail(self.link, event, outcome.error)
                self.failed += held
                self._settle(event, "failed", held=held)
            case Release():
                self._settle(event, "released", held=event.id in await queue.release(self.link, [event]))
            case Abandon() | Finish():
                self._settle(event, "abandoned", held=False)

    def _settle(self, event: Event, outcome: str, *, held: bool) -> None:
        if held:
            self.leases.drop(event)
            metrics.EVENTS_FINISHED.labels(event.kind, str(event.tenant), outcome).inc()
        else:
            self.leases.lose(event)
