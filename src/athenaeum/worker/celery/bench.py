"""Where an event that was brought by its id is claimed, run, and settled."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from athenaeum.database.link import Link
from athenaeum.events import queue
from athenaeum.events.wakeup import Bell, listen
from athenaeum.observability import metrics
from athenaeum.worker.claims import Claims, CutOff
from athenaeum.worker.executor import Executor
from athenaeum.worker.statistics import PoolHealth, PoolStats

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import EventId
    from athenaeum.worker.execution import Process


class Bench:
    """Works on one event for each call of `work`; an async context manager that may be left twice.

    Leaving lets work finish for the drain time, hands the rest back, and turns further calls away.
    """

    def __init__(
        self,
        size: int,
        database: DatabaseConnection,
        process: Process,
        *,
        visibility_timeout: timedelta,
        max_retries: int,
        drain_time: timedelta = timedelta(seconds=10),
    ) -> None:
        """As for `WorkerPool`; nothing is opened yet."""
        self._database = database
        self._lease = visibility_timeout
        self._link = Link(database)
        self._executor = Executor(
            database,
            process,
            size=size,
            visibility_timeout=visibility_timeout,
            max_retries=max_retries,
            drain_time=drain_time,
        )
        self._worker = self._executor.worker
        self._claims = Claims(self._link, self._executor)
        self._turn = asyncio.Lock()
        self._opened = asyncio.Event()
        self._stopping = asyncio.Event()
        self._main: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to keep leases and to write outcomes."""
        # The root of the executor, which one task must enter and leave.
        self._main = asyncio.create_task(self._run(), name=self._worker)
        await self._opened.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Drain, and hand back what is unfinished."""
        self._stopping.set()
        if self._main is not None:
            await asyncio.shield(self._main)

    async def work(self, event_id: EventId) -> bool:
        """Claim the event and run it to a durable outcome; False when it is for another worker to do.

        True at once when there is nothing to claim: it is done already, or not to be done now. A database that is
        away is waited for.
        """
        event = await self._claim(event_id)
        if event is None:
            return not self._stopping.is_set()
        metrics.EVENTS_CLAIMED.labels(event.kind, str(event.tenant)).inc()
        settled = asyncio.ensure_future(self._executor.settled(event.id))
        assert self._main is not None
        await asyncio.wait({settled, self._main}, return_when=asyncio.FIRST_COMPLETED)
        settled.cancel()  # what is handed back at the end is settled by nobody here
        return True

    def get_stats(self) -> PoolStats:
        """Counts since the start."""
        return self._executor.stats(running=self._running)

    async def health_check(self) -> PoolHealth:
        """Whether events are taken; what keeps them from it when not."""
        return await self._executor.health("the worker", running=self._running, stopping=self._stopping.is_set())

    @property
    def _running(self) -> bool:
        return self._main is not None and not self._main.done()

    async def _run(self) -> None:
        async with self._link, asyncio.TaskGroup() as group:
            listener = group.create_task(listen(self._database, Bell(), self._executor.cancel))
            async with self._executor:
                self._opened.set()
                await self._stopping.wait()
                async with self._turn:  # whoever has just claimed has begun by then; nobody claims any more
                    pass
            listener.cancel()

    async def _claim(self, event_id: EventId) -> Event | None:
        """Claim the event and begin it; None when there is nothing to claim, or no claiming any more."""
        while True:
            async with self._turn:
                if self._stopping.is_set():
                    return None
                try:
                    event = await self._claims.make(
                        lambda link: queue.claim_one(link, self._worker, event_id, lease=self._lease)
                    )
                except CutOff as away:
                    wait = away.again_in
                else:
                    if event is not None:
                        self._executor.begin(event)
                    return event
            await asyncio.sleep(wait.total_seconds())
