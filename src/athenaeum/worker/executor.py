"""Running claimed events: the leases, handlers and outcomes of one process."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections import deque
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import structlog

from athenaeum.database.link import FAULTS, Link
from athenaeum.errors import RetryLater
from athenaeum.events import queue, retry
from athenaeum.events.wakeup import CHANNEL, due_in
from athenaeum.observability import metrics
from athenaeum.worker.execution import Process, execute
from athenaeum.worker.lease import Lease, Leases
from athenaeum.worker.outcomes import Outcome, Outcomes
from athenaeum.worker.statistics import PoolHealth, PoolStats, Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import EventId

log = structlog.get_logger(__name__)

_FAREWELL = timedelta(seconds=1)
"""For handlers to end after they were cancelled."""
_LAST_WORDS = timedelta(seconds=5)
"""For the database to take the last outcomes and the claims that are handed back."""
_PATIENCE = timedelta(milliseconds=250)
"""How long a claim waits here for a worker before another process may have it."""


class Executor:
    """Runs a function on claimed events, `size` at a time, keeps their leases, and writes down what became of them.

    An async context manager, to be entered and left by one task. Leaving lets work finish for the drain time and hands
    the rest back.
    """

    def __init__(
        self,
        database: DatabaseConnection,
        process: Process,
        *,
        size: int,
        visibility_timeout: timedelta,
        max_retries: int,
        drain_time: timedelta,
        notice: Callable[[], None] = lambda: None,
    ) -> None:
        """`notice` is called whenever there is room for more, or more may be due."""
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        """What `claimed_by` is to show of claims that run here."""
        self._database = database
        self._process = process
        self._max_retries = max_retries
        self._drain_time = drain_time
        self._notice = notice
        self._load = Workload(size)
        self._waiting: deque[Lease] = deque()
        self._stack = AsyncExitStack()
        self._group = asyncio.TaskGroup()
        self._draining = False
        self._returning: asyncio.TimerHandle | None = None
        self.leases = Leases(Link(database), visibility_timeout)
        self._outcomes = Outcomes(Link(database), self.leases, self._written)

    async def __aenter__(self) -> Self:
        """Begin to keep leases and to write outcomes."""
        self._load.begin()
        for link in (self.leases.link, self._outcomes.link):
            await self._stack.enter_async_context(link)
        await self._stack.enter_async_context(self._group)
        self._heartbeat = self._group.create_task(self.leases.keep())
        self._writer = self._group.create_task(self._outcomes.write())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let work finish for the drain time, stop it then, and hand back what is unfinished."""
        self._draining = True
        if self._returning is not None:
            self._returning.cancel()
        try:
            await self._drain()
            await self._hand_back()
        finally:
            self._heartbeat.cancel()
            self._writer.cancel()
            await self._stack.aclose()

    @property
    def room(self) -> int:
        """How many events may be claimed now."""
        return self._load.room(waiting=len(self._waiting), held=len(self.leases.held))

    @property
    def held(self) -> list[EventId]:
        """The events that are claimed and not settled."""
        return [*self.leases.held]

    async def connect(self) -> None:
        """Make sure of the connections, before a claim: on a full server it could neither be kept nor completed.

        Raises:
            psycopg.OperationalError: There is none to be had.
        """
        await self.leases.link.open()
        await self._outcomes.link.open()

    def begin(self, event: Event) -> None:
        """Run a claimed event as soon as there is a worker for it."""
        self._waiting.append(self.leases.add(event))
        self._start()

    async def settled(self, event: EventId) -> None:
        """Return when the event is held no longer: its outcome is durable, or somebody else has it."""
        await self.leases.dropped(event)

    def cancel(self, event: EventId) -> None:
        """Stop the event's handler, if it runs here: it was taken out of the queue."""
        lease = self.leases.held.get(event)
        if lease is not None and not lease.ended:
            self.leases.lose(lease.event)

    def revoke(self) -> None:
        """Stop all handlers, to hand their events back."""
        for lease in self.leases.held.values():
            if not lease.ended:
                lease.revoke()

    def stats(self, *, running: bool) -> PoolStats:
        """Counts since the start."""
        return PoolStats(
            workers_running=self._load.size if running else 0,
            workers_busy=self._load.busy,
            total_events_processed=self._outcomes.processed,
            total_events_failed=self._outcomes.failed,
            total_retries=self._outcomes.retries,
            leases_lost=self.leases.lost,
            uptime_seconds=self._load.uptime,
            utilisation=self._load.utilisation,
        )

    async def health(self, who: str, *, running: bool, stopping: bool) -> PoolHealth:
        """What keeps events from being taken; `who` takes them."""
        problems: list[str] = []
        if not running:
            problems.append(f"{who} is not running")
        elif stopping:
            problems.append(f"{who} is stopping")
        if not await self._database.health_check():
            problems.append("the database does not answer")
        return PoolHealth(tuple(problems))

    def _start(self) -> None:
        while self._waiting and self._load.busy < self._load.size and not self._draining:
            lease = self._waiting.popleft()
            if not lease.revoked:
                self._run(lease)
        if self._waiting and self._returning is None:
            loop = asyncio.get_running_loop()
            self._returning = loop.call_later(_PATIENCE.total_seconds(), self._return, self._waiting[-1])

    def _return(self, last: Lease) -> None:
        """Hand back those up to `last` that still wait: somebody else may have a worker for them."""
        self._returning = None
        if last in self._waiting:
            while (lease := self._waiting.popleft()) is not last:
                self._end(lease, Outcome(lease.event, retry.Release()))
            self._end(last, Outcome(last.event, retry.Release()))
        self._start()

    def _run(self, lease: Lease) -> None:
        kind = lease.event.kind
        began = self._load.take()

        def end(_: object) -> None:
            metrics.HANDLER_SECONDS.labels(kind).observe(self._load.give_back(began))
            self._start()
            if self._load.wanted:
                self._notice()

        lease.handler = self._group.create_task(self._work(lease))
        lease.handler.add_done_callback(end)

    async def _work(self, lease: Lease) -> None:
        try:
            error = await execute(self._process, lease.event)
        except asyncio.CancelledError:
            if lease.revoked:
                return
            if _cancelled_from_outside():
                raise
            error = RetryLater("the handler cancelled itself")
        if lease.revoked and error is not None:
            return  # raised because it was stopped
        self._end(lease, self._judge(lease.event, error))

    def _end(self, lease: Lease, outcome: Outcome) -> None:
        lease.ended = True
        self._outcomes.add(outcome)

    def _judge(self, event: Event, error: Exception | None) -> Outcome:
        if error is None:
            return Outcome(event, retry.Finish())
        decision = retry.decide(error, attempt=event.attempt, max_retries=self._max_retries)
        log.warning(
            "event.raised",
            event_id=event.id,
            kind=event.kind,
            attempt=event.attempt,
            error=type(error).__name__,
            decision=type(decision).__name__,
        )
        return Outcome(event, decision, retry.describe(error))

    def _written(self, next_in: timedelta | None) -> None:
        if next_in is not None:
            self._database.notifier.notify(CHANNEL, due_in(next_in))
        if next_in is not None or self._load.wanted:
            self._notice()

    async def _drain(self) -> None:
        """Wait for handlers until the drain time is over, then stop them."""
        working = [lease.handler for lease in self.leases.held.values() if lease.handler and not lease.ended]
        if not working:
            return
        log.info("executor.draining", working=len(working))
        await asyncio.wait(working, timeout=self._drain_time.total_seconds())
        self.revoke()
        await asyncio.wait(working, timeout=_FAREWELL.total_seconds())

    async def _hand_back(self) -> None:
        """Write the last outcomes and release what is left: another worker has it within a second."""
        unfinished = [lease.event for lease in self.leases.held.values() if not lease.ended]
        try:
            async with asyncio.timeout(_LAST_WORDS.total_seconds()):
                if unfinished:
                    released = await queue.release(self._outcomes.link, unfinished)
                    for event in unfinished:
                        if event.id in released:
                            metrics.EVENTS_FINISHED.labels(event.kind, str(event.tenant), "released").inc()
                    log.info("executor.handed_back", events=len(released))
        except FAULTS as error:
            log.warning("executor.hand_back_failed", error=type(error).__name__, events=len(unfinished))
        self._outcomes.close()
        await asyncio.wait({self._writer}, timeout=_LAST_WORDS.total_seconds())


def _cancelled_from_outside() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
