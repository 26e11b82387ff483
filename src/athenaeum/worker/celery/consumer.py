"""Celery's worker in a thread of this process: as many tasks at once as the process has workers."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self

import structlog
from celery.app.trace import setup_worker_optimizations
from celery.worker import WorkController, state

from athenaeum.worker.celery.app import register

if TYPE_CHECKING:
    from celery import Celery

    from athenaeum.domain.identity import EventId
    from athenaeum.worker.celery.bench import Bench
    from athenaeum.worker.statistics import PoolHealth, PoolStats

log = structlog.get_logger(__name__)

_PAUSE = 1.0
"""Seconds before Celery's worker is started again that ended by itself."""
_LAST_ACKNOWLEDGEMENTS = 5.0
"""Seconds for Celery to end after its tasks have; a message that it could not acknowledge finds nothing to claim."""


class Consumer:
    """Brings what Celery receives to a bench, in threads; an async context manager, one at a time in a process."""

    def __init__(self, app: Celery, bench: Bench, *, size: int) -> None:
        """Nothing is opened yet."""
        self._app = app
        self._bench = bench
        self._size = size
        self._controller: Any = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    async def __aenter__(self) -> Self:
        """Open the bench, and begin to consume; a broker that is away is waited for."""
        await self._bench.__aenter__()
        loop = asyncio.get_running_loop()

        def work(event: EventId) -> bool:
            return asyncio.run_coroutine_threadsafe(self._bench.work(event), loop).result()

        register(self._app, work)
        self._stopping.clear()
        state.should_stop = None
        self._thread = threading.Thread(target=self._consume, name="celery", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Consume no more, drain the bench, and wait for the last acknowledgements."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        state.should_stop = 0  # as Celery's handlers of signals do; it looks every second, or when it is woken
        hub = getattr(self._controller, "hub", None)
        if hub is not None:
            hub.call_soon(_nothing)
        try:
            await self._bench.__aexit__()
        finally:
            await asyncio.to_thread(thread.join, _LAST_ACKNOWLEDGEMENTS)
            state.should_stop = None
            if thread.is_alive():
                log.warning("consumer.abandoned")

    def get_stats(self) -> PoolStats:
        """The bench's counts."""
        return self._bench.get_stats()

    async def health_check(self) -> PoolHealth:
        """Whether events are taken; what keeps them from it when not."""
        return await self._bench.health_check()

    def _consume(self) -> None:
        setup_worker_optimizations(self._app)  # tells Celery's threads whose tasks they run
        while not self._stopping.is_set():
            self._run_controller()
            # kombu 5.7 cannot give back what Redis lost with its connection, and takes Celery's worker down for it
            if not self._stopping.wait(_PAUSE):
                log.warning("consumer.restarted")
        self._app.close()

    def _run_controller(self) -> None:
        controller: Any = WorkController(
            app=self._app,
            pool="threads",
            concurrency=self._size,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._controller = controller
        controller.start()
        if controller.hub is not None:
            controller.hub.close()  # Celery leaves that to the end of its process


def _nothing() -> None:
    """Only the call is wanted."""
