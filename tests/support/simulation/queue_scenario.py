"""The queue alone: events that come twice, handlers that take too long or fail, workers that die and are replaced."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.errors import RetryLater
from athenaeum.events import enqueue
from athenaeum.worker.pool import WorkerPool
from support.simulation import ledger
from support.simulation.ledger import Ledger, Request
from support.simulation.network import Weather
from support.simulation.processes import Process
from support.simulation.procedures import FAILED, FINISHED, QUEUED
from support.simulation.world import World

LEASE = timedelta(seconds=4)
RETRIES = 3
_CANCEL = text("SELECT events_cancel(:id)")
_PACES = (0.0, 0.3, 3.0)
_FAULTS = (psycopg.OperationalError, SQLAlchemyError, OSError)


class QueueScenario:
    """Two workers, four events of two keys; one may be cancelled, one worker may be stopped."""

    name = "queue"
    weather = Weather()
    patience = 600.0

    def __init__(self, world: World) -> None:
        self._world = world
        self._ledger = Ledger(world.network)
        self.requests = [
            Request(f"event {n}", (None, "a", "a", "b", "a")[n % 5]) for n in range(3 + world.choices.pick(2))
        ]
        self._cancelled: str | None = None
        self._attempts: Counter[str] = Counter()

    def begin(self) -> None:
        world = self._world
        for name in ("worker A", "worker B"):
            world.start(name, self._work)
        world.start("gateway", self._announce)
        if world.choices.pick(4) == 1:
            world.start("operator", self._cancel, again=None)
        if world.choices.pick(4) == 1:
            world.loop.later((0.0, 0.5, 3.0)[world.choices.pick(3)], self._replace)

    async def _work(self, process: Process) -> None:
        async def handle(event: Event) -> None:
            await self._handle(process, event)

        database = self._world.database(process)
        pool = WorkerPool(
            2, database, handle, visibility_timeout=LEASE, max_retries=RETRIES, drain_time=timedelta(seconds=1)
        )
        process.stop = pool.stop
        await pool.start()

    async def _handle(self, process: Process, event: Event) -> None:
        world = self._world
        name: str = event.payload["name"]
        self._attempts[name] += 1
        handling = _Handling(world, process)
        try:
            for _ in range(2):
                await asyncio.sleep(_PACES[world.choices.fate((0.1, 0.1))])
                await self._ledger.mark(process, event)
            if world.choices.fate((0.06,)) and event.attempt <= RETRIES:
                raise RetryLater("the world was not ready", after=timedelta(seconds=1))
        finally:
            handling.end()

    async def _announce(self, process: Process) -> None:
        """Enqueue everything, some at the same time, until it is acknowledged; a new gateway goes on."""
        database = self._world.database(process)
        async with asyncio.TaskGroup() as group:
            for request in self.requests:
                if request.acknowledged >= 0:
                    continue
                task = group.create_task(self._enqueue(database, request))
                if self._world.choices.pick(2) == 0:
                    await asyncio.wait({task})

    async def _enqueue(self, database: object, request: Request) -> None:
        loop = self._world.loop
        if request.begun < 0:
            request.begun = loop.steps
        new = NewEvent(
            kind="mark",
            payload={"name": request.name, "key": request.key},
            tenant=DEFAULT_TENANT,
            dedupe_key=request.name,
            ordering_key=request.key,
            fair_key=None,
        )
        times = 1 + self._world.choices.pick(2)
        while times > 0:
            try:
                async with database.session(DEFAULT_TENANT) as session:  # pyright: ignore[reportAttributeAccessIssue]
                    await enqueue(session, new)
            except _FAULTS:
                await asyncio.sleep(0.5)
                continue
            times -= 1
            if request.acknowledged < 0:
                request.acknowledged = loop.steps

    async def _cancel(self, process: Process) -> None:
        chosen = self.requests[self._world.choices.pick(len(self.requests))].name
        self._cancelled = chosen
        database = self._world.database(process)
        for pause in (0.0, 0.3, 1.0):
            await asyncio.sleep(pause)
            found = [row for row in self._world.rows(QUEUED) if row["payload"]["name"] == chosen]
            for row in found:
                try:
                    async with database.session() as session:
                        await session.execute(_CANCEL, {"id": row["event_id"]})
                except _FAULTS:
                    continue

    def _replace(self) -> None:
        """SIGTERM to a worker; the next one begins before it has ended."""
        world = self._world
        worker = next((each for each in world.processes if each.alive and each.stop is not None), None)
        if worker is not None and worker.stop is not None:
            world.loop.start(worker.lane, worker.stop(), "stop")
            world.start(f"{worker.name}+", self._work)

    def settled(self) -> bool:
        return (
            all(request.acknowledged >= 0 for request in self.requests)
            and not self._world.rows(QUEUED)
            and self._world.busy == 0
            and self._world.is_quiet()
        )

    def judge(self) -> Iterator[str]:
        """What is wrong at the end."""
        # what a cancelled handler has sent already can be late, and its key is free meanwhile
        kept = [request for request in self.requests if request.name != self._cancelled]
        yield from ledger.judge(self._ledger.marks, kept)
        ended = Counter(row["payload"]["name"] for table in (FINISHED, FAILED) for row in self._world.rows(table))
        finished = {row["payload"]["name"] for row in self._world.rows(FINISHED)}
        marked = {mark.name for mark in self._ledger.marks}
        for request in self.requests:
            if ended[request.name] != 1:
                yield f"{request.name} ended {ended[request.name]} times"
            elif request.name not in finished and self._cancelled != request.name:
                if self._attempts[request.name] <= RETRIES:
                    yield f"{request.name} failed after {self._attempts[request.name]} attempts"
            elif request.name in finished and request.name not in marked:
                yield f"{request.name} is finished and was never done"


class _Handling:
    """A handler that runs, until it ends or its process does."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process
        world.busy += 1
        process.open[self] = None

    def end(self) -> None:
        if self._process.open.pop(self, 0) is None:
            self._world.busy -= 1

    def drop(self) -> None:
        self._world.busy -= 1
