"""A fixed number of workers in one process, fed from the queue."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import socket
import time
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import structlog

from athenaeum.errors import Misconfigured, RetryLater
from athenaeum.events import queue, retry
from athenaeum.events.link import FAULTS, Backoff, Link
from athenaeum.events.wakeup import Bell, listen
from athenaeum.observability import metrics
from athenaeum.worker import rescue
from athenaeum.worker.execution import Process, execute
from athenaeum.worker.lease import Lease, Leases
from athenaeum.worker.outcomes import Outcome, Outcomes
from athenaeum.worker.statistics import PoolHealth, PoolStats, Workload

if TYPE_CHECKING:
    from collections.abc import Collection

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId

log = structlog.get_logger(__name__)

_POLL = timedelta(seconds=5)
"""How late work is found whose announcement was missed."""
_FAREWELL = timedelta(seconds=1)
"""For handlers to end after they were cancelled."""
_LAST_WORDS = timedelta(seconds=5)
"""For the database to take the last outcomes and the claims that are handed back."""


class WorkerPool:
    """Claims events and runs a function on each, `size` at a time; an async context manager.

    Returning completes the event; raising is decided by `events.retry.decide`. A plain function runs in a
    thread of its own. An async one shares the event loop with the heartbeat: it must not block it for longer
    than the visibility timeout.
    """

    def __init__(  # noqa: PLR0913 - settings, each with a name and all but three with a default
        self,
        size: int,
        db_connection: DatabaseConnection,
        process_func: Process,
        *,
        visibility_timeout: timedelta = timedelta(seconds=60),
        max_retries: int = 3,
        drain_time: timedelta = timedelta(seconds=10),
        kinds: Collection[str] | None = None,
        tenants: Collection[TenantId] | None = None,
    ) -> None:
        """Nothing is opened yet.

        Args:
            size: How many events are worked on at once.
            db_connection: The pool keeps four connections of its own beside those of `db_connection`.
            process_func: Called with each claimed `Event`, plain or async; what it returns is ignored.
            visibility_timeout: How long a claim lives without a heartbeat.
            max_retries: Attempts after the first one.
            drain_time: What `stop` gives unfinished work before it is handed back to the queue.
            kinds: Take only events of these kinds; the others are left to other pools.
            tenants: Take only events of these tenants, likewise; may grow later.
        """
        if size < 1:
            raise Misconfigured("a worker pool needs a size of at least 1: set WORKER_POOL_SIZE")
        self._database = db_connection
        self._process = process_func
        self._visibility_timeout = visibility_timeout
        self._max_retries = max_retries
        self._drain_time = drain_time
        self._kinds = kinds
        self._tenants = tenants
        self._worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._load = Workload(size)
        self._bell = Bell()
        self._claims = Link(db_connection, prelude=queue.HURRY)
        self._leases = Leases(Link(db_connection), visibility_timeout)
        self._outcomes = Outcomes(Link(db_connection), self._leases, self._make_room)
        self._stopping = asyncio.Event()
        self._main: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop, after the drain."""
        await self.stop()

    async def start(self) -> None:
        """Begin to claim; harmless when repeated. A database that is away is waited for."""
        if self._main is None:
            self._load.begin()
            # The root of the pool's tasks: its group must be entered and left by one task, start and stop may not be.
            self._main = asyncio.create_task(self._run(), name=self._worker)
            log.info("pool.started", worker=self._worker, size=self._load.size)

    async def stop(self) -> None:
        """Claim no more, let work finish for the drain time, hand the rest back; may be called twice."""
        self._stopping.set()
        self._bell.ring()
        if self._main is not None:
            await asyncio.shield(self._main)

    async def run_forever(self) -> None:
        """Start, and stop on SIGTERM or SIGINT; a second signal cuts the drain short."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self._signalled)
        try:
            await self.start()
            assert self._main is not None
            await asyncio.shield(self._main)
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
            await self.stop()

    def get_stats(self) -> PoolStats:
        """Counts since the start."""
        return PoolStats(
            workers_running=self._load.size if self._running else 0,
            workers_busy=self._load.busy,
            total_events_processed=self._outcomes.processed,
            total_events_failed=self._outcomes.failed,
            total_retries=self._outcomes.retries,
            leases_lost=self._leases.lost,
            uptime_seconds=self._load.uptime,
            utilisation=self._load.utilisation,
        )

    async def health_check(self) -> PoolHealth:
        """Whether the pool takes events; what keeps it from doing so when not."""
        problems: list[str] = []
        if not self._running:
            problems.append("the worker pool is not running")
        elif self._stopping.is_set():
            problems.append("the worker pool is stopping")
        if not await self._database.health_check():
            problems.append("the database does not answer")
        return PoolHealth(tuple(problems))

    @property
    def _running(self) -> bool:
        return self._main is not None and not self._main.done()

    def _signalled(self) -> None:
        if self._stopping.is_set():
            self._revoke()
        self._stopping.set()
        self._bell.ring()

    def _revoke(self) -> None:
        for lease in self._leases.held.values():
            if not lease.ended:
                lease.revoke()

    async def _run(self) -> None:
        async with AsyncExitStack() as stack:
            for link in (self._claims, self._leases.link, self._outcomes.link):
                await stack.enter_async_context(link)
            stack.callback(self._bell.silence)
            async with asyncio.TaskGroup() as group:
                background = [
                    group.create_task(listen(self._database, self._bell)),
                    group.create_task(self._leases.keep()),
                    group.create_task(rescue.watch(self._database, max_retries=self._max_retries)),
                ]
                writer = group.create_task(self._outcomes.write())
                await self._claim_events(group)
                await self._drain()
                await self._hand_back(writer)
                for task in background:
                    task.cancel()
        log.info("pool.stopped", worker=self._worker, **self.get_stats())

    async def _claim_events(self, group: asyncio.TaskGroup) -> None:
        backoff = Backoff()
        cut_off = False
        while not self._stopping.is_set():
            room = self._load.room(len(self._leases.held))
            if room == 0:
                await self._bell.wait(_POLL)
                continue
            try:
                if cut_off:
                    await queue.release_unknown(self._claims, self._worker, [*self._leases.held])
                    cut_off = False
                events = await self._claim(room)
                backoff.reset()
            except FAULTS as error:
                cut_off = True
                wait = backoff.next()
                log.warning("claim.failed", error=type(error).__name__, again_in=wait.total_seconds())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), wait.total_seconds())
                continue
            for event in events:
                lease = self._leases.add(event)
                if not self._stopping.is_set():
                    self._begin(lease, group)
            if len(events) < room:
                await self._bell.wait(_POLL * random.uniform(0.8, 1.2))  # noqa: S311 - processes poll in turns

    async def _claim(self, room: int) -> list[Event]:
        began = time.perf_counter()
        lease = self._visibility_timeout
        events = await queue.claim(
            self._claims, self._worker, limit=room, lease=lease, kinds=self._kinds, tenants=self._tenants
        )
        metrics.CLAIM_SECONDS.observe(time.perf_counter() - began)
        return events

    def _begin(self, lease: Lease, group: asyncio.TaskGroup) -> None:
        kind = lease.event.kind
        metrics.EVENTS_CLAIMED.labels(kind).inc()
        began = self._load.take()

        def end(_: object) -> None:
            metrics.HANDLER_SECONDS.labels(kind).observe(self._load.give_back(began))
            self._make_room()

        lease.handler = group.create_task(self._work(lease))
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
        lease.ended = True
        self._outcomes.add(self._judge(lease.event, error))

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

    def _make_room(self) -> None:
        if self._load.wanted:
            self._bell.ring()

    async def _drain(self) -> None:
        """Wait for handlers until the drain time is over, then stop them."""
        working = [lease.handler for lease in self._leases.held.values() if lease.handler and not lease.ended]
        if not working:
            return
        log.info("pool.draining", worker=self._worker, working=len(working))
        await asyncio.wait(working, timeout=self._drain_time.total_seconds())
        self._revoke()
        await asyncio.wait(working, timeout=_FAREWELL.total_seconds())

    async def _hand_back(self, writer: asyncio.Task[None]) -> None:
        """Write the last outcomes and release what is left: another worker has it within a second."""
        unfinished = [lease.event for lease in self._leases.held.values() if not lease.ended]
        try:
            async with asyncio.timeout(_LAST_WORDS.total_seconds()):
                if unfinished:
                    await queue.release(self._outcomes.link, unfinished)
                    log.info("pool.handed_back", worker=self._worker, events=len(unfinished))
        except FAULTS as error:
            log.warning("pool.hand_back_failed", error=type(error).__name__, events=len(unfinished))
        self._outcomes.close()
        await asyncio.wait({writer}, timeout=_LAST_WORDS.total_seconds())
        writer.cancel()


def _cancelled_from_outside() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
