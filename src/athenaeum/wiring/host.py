"""The product in a process that is Celery's: an event loop in a thread, where tasks hand in the ids they are given."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from athenaeum.gateway.intake import Intake
from athenaeum.wiring import broker
from athenaeum.wiring.agent import open_agent
from athenaeum.wiring.background import beside
from athenaeum.wiring.database import open_database
from athenaeum.wiring.engine import open_engine
from athenaeum.wiring.library import open_index
from athenaeum.wiring.limit import open_limit
from athenaeum.wiring.missed import hearing
from athenaeum.wiring.workspace import Workspace

if TYPE_CHECKING:
    from athenaeum.config import Config
    from athenaeum.domain.identity import EventId
    from athenaeum.worker.celery.bench import Bench
    from athenaeum.worker.execution import Process

log = structlog.get_logger(__name__)

_AT_MOST = 1000
"""Events at once; how many there really are is Celery's concurrency."""
_FAREWELL = 20.0
"""Seconds for the thread to end: the drain, and the last words to the database."""


class Host:
    """One for Celery's process and all that it forks, each of which begins for itself with the first event.

    A pipe tells all of them that the end has come, which Celery tells its first process alone: they hold the one end of
    it, and the first process the other, which it closes then.
    """

    def __init__(self, config: Config) -> None:
        """Nothing is opened but the pipe."""
        self._config = config
        self._listening, held = os.pipe()
        self._held: int | None = held
        self._owner = os.getpid()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._opened: Future[Bench] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None

    def work(self, event: EventId) -> bool:
        """Work on an event as `Bench.work` does; blocks until it is over."""
        self.begin()
        bench = self._opened.result()
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(bench.work(event), self._loop).result()

    def begin(self, **_: object) -> None:
        """Open the product in this process, unless it is open; returns at once."""
        with self._starting:
            if self._thread is not None:
                return
            if os.getpid() != self._owner:
                self._let_go()
            self._loop = asyncio.new_event_loop()  # not before a fork: its selector would be shared
            self._thread = threading.Thread(target=self._run, name="athenaeum", daemon=True)
            self._thread.start()

    def stop(self, **_: object) -> None:
        """Have this process and its children drain, and hand back what is unfinished; returns at once."""
        if os.getpid() == self._owner:
            self._let_go()

    def end(self, **_: object) -> None:
        """Wait until this process has handed back what is unfinished."""
        self.stop()
        if self._thread is not None:
            self._thread.join(_FAREWELL)

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            os.close(held)

    def _run(self) -> None:
        assert self._loop is not None
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:
            if not self._opened.done():
                self._opened.set_exception(error)
            raise

    async def _serve(self) -> None:
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()

        def stop() -> None:
            loop.remove_reader(self._listening)  # its end would be told again and again
            stopped.set()

        loop.add_reader(self._listening, stop)
        config = self._config
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(open_database(config, patient=True))
            workspace = await stack.enter_async_context(Workspace(config, database))
            index = open_index(config, database)
            agent = await stack.enter_async_context(open_agent(config, database, index, workspace.clients))
            bench: list[Bench] = []

            def employ(process: Process) -> Bench:
                bench.append(broker.bench(config, database, process, size=_AT_MOST))
                return bench[0]

            limit = await stack.enter_async_context(open_limit(config, {}))
            engine = open_engine(
                config,
                database=database,
                index=index,
                agent=agent,
                workspace=workspace,
                employ=employ,
                hear=hearing(database, Intake(database, limit=limit, clients=workspace.clients)),
            )
            await stack.enter_async_context(beside(workspace.connect()))
            if workspace.client is not None:
                await workspace.tenant()
            await stack.enter_async_context(engine.pool)
            self._opened.set_result(bench[0])
            async with beside(engine.indexer.run(), engine.greeter.run()):
                await stopped.wait()
