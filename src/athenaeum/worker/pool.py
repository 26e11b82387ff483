"""A fixed number of workers in one process, fed from the queue."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Self

import structlog

from athenaeum.database.link import Link
from athenaeum.errors import Misconfigured
from athenaeum.events import queue
from athenaeum.events.wakeup import Bell, listen
from athenaeum.observability import metrics
from athenaeum.worker import rescue
from athenaeum.worker.claims import Claims, CutOff
from athenaeum.worker.executor import Executor
from athenaeum.worker.statistics import PoolHealth, PoolStats

if TYPE_CHECKING:
    from collections.abc import Collection

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId
    from athenaeum.worker.execution import Process

log = structlog.get_logger(__name__)

_POLL = timedelta(seconds=5)
"""How late work is found whose announcement was missed."""


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
        self._visibility_timeout = visibility_timeout
        self._max_retries = max_retries
        self._kinds = kinds
        self._tenants = tenants
        self._size = size
        self._bell = Bell()
        self._link = Link(db_connection)
        self._executor = Executor(
            db_connection,
            process_func,
            size=size,
            visibility_timeout=visibility_timeout,
            max_retries=max_retries,
            drain_time=drain_time,
            notice=self._bell.ring,
        )
        self._worker = self._executor.worker
        self._claims = Claims(self._link, self._executor)
        self._latest: Event | None = None
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
            # The root of the pool's tasks: its group must be entered and left by one task, start and stop may not be.
            self._main = asyncio.create_task(self._run(), name=self._worker)
            log.info("pool.started", worker=self._worker, size=self._size)

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
        return self._executor.stats(running=self._running)

    async def health_check(self) -> PoolHealth:
        """Whether the pool takes events; what keeps it from doing so when not."""
        return await self._executor.health("the worker pool", running=self._running, stopping=self._stopping.is_set())

    @property
    def _running(self) -> bool:
        return self._main is not None and not self._main.done()

    def _signalled(self) -> None:
        if self._stopping.is_set():
            self._executor.revoke()
        self._stopping.set()
        self._bell.ring()

    async def _run(self) -> None:
        async with self._link, asyncio.TaskGroup() as group:
            background = [
                group.create_task(listen(self._database, self._bell, self._executor.cancel)),
                group.create_task(rescue.watch(self._database, max_retries=self._max_retries)),
            ]
            async with self._executor:
                await self._claim_events()
            for task in background:
                task.cancel()
            self._bell.silence()
        log.info("pool.stopped", worker=self._worker, **self.get_stats())

    async def _claim_events(self) -> None:
        while not self._stopping.is_set():
            room = self._executor.room
            if room == 0:
                await self._bell.wait(_POLL)
                continue
            try:
                events = await self._claims.make(partial(self._claim, room))
            except CutOff as away:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), away.again_in.total_seconds())
                continue
            for event in events:
                self._executor.begin(event)
            if len(events) < room:
                await self._bell.wait(_POLL * random.uniform(0.8, 1.2))  # noqa: S311 - processes poll in turns

    async def _claim(self, room: int, link: Link) -> list[Event]:
        began = time.perf_counter()
        events = await queue.claim(
            link,
            self._worker,
            limit=room,
            lease=self._visibility_timeout,
            kinds=self._kinds,
            tenants=self._tenants,
            after=self._latest,
        )
        metrics.CLAIM_SECONDS.observe(time.perf_counter() - began)
        if events:
            self._latest = events[-1]
        for (kind, tenant), count in Counter((event.kind, str(event.tenant)) for event in events).items():
            metrics.EVENTS_CLAIMED.labels(kind, tenant).inc(count)
        return events
