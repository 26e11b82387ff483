"""The queue alone: events that come twice, handlers that take too long or fail, workers that die and are replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.errors import RetryLater
from athenaeum.events import enqueue
from athenaeum.worker.pool import WorkerPool
from support.simulation import ledger
from support.simulation.event_rows import FAILED, FINISHED, QUEUED
from support.simulation.handling import Handling
from support.simulation.ledger import Ledger, Request
from support.simulation.network import Weather
from support.simulation.processes import Process
from support.simulation.store import Row
from support.simulation.world import World

LEASE = timedelta(seconds=4)
RETRIES = 3
_CANCEL = text("SELECT events_cancel(:id)")
_KEYS = (("a", "a", "a"), ("a", "b", "a"), ("a", "a", None, "a"), ("a", "a"))
_PACES = (0.0, 0.3, 3.0)
_FAULTS = (psycopg.OperationalError, SQLAlchemyError, OSError)


class QueueScenario:
    """Two workers, four events of two keys; one may be cancelled, one worker may be stopped."""

    name: ClassVar[str] = "queue"
    weather: ClassVar[Weather] = Weather()
    patience: ClassVar[float] = 200.0

    def __init__(self, world: World) -> None:
        self._world = world
        self._ledger = Ledger(world)
        keys = _KEYS[world.choices.pick(len(_KEYS))]
        self.requests = [Request(f"event {n}", key) for n, key in enumerate(keys)]
        self._cancelled: str | None = None
        self._hopeless = self._any().name if world.choices.pick(6) == 1 else None

    def _any(self) -> Request:
        return self.requests[self._world.choices.pick(len(self.requests))]

    def begin(self) -> None:
        world = self._world
        for name in ("worker A", "worker B"):
            world.start(name, self._work)
        world.start("gateway", self._announce)
        if world.choices.pick(3) == 1:
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
        with Handling(world, process):
            for _ in range(2):
                await asyncio.sleep(_PACES[world.choices.fate((0.1, 0.1))])
                await self._ledger.mark(process, event)
            if name == self._hopeless or (world.choices.fate((0.06,)) and event.attempt <= RETRIES):
                raise RetryLater("the world was not ready", after=timedelta(seconds=1))

    async def _announce(self, process: Process) -> None:
        """Enqueue everything, some at the same time, until it is acknowledged; a new gateway goes on."""
        database = self._world.database(process)
        async with asyncio.TaskGroup() as group:
            for request in self.requests:
                if request.acknowledged >= 0:
                    continue
                task = group.create_task(self._enqueue(database, request))
                if self._world.choices.pick(2):
                    group.create_task(self._enqueue(database, request))
                if self._world.choices.pick(2) == 0:
                    await asyncio.wait({task})

    async def _enqueue(self, database: Any, request: Request) -> None:
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
        while True:
            try:
                async with database.session(DEFAULT_TENANT) as session:
                    await enqueue(session, new)
            except _FAULTS:
                await asyncio.sleep(0.5)
            else:
                break
        if request.acknowledged < 0:
            request.acknowledged = loop.steps

    async def _cancel(self, process: Process) -> None:
        """Cancel an event at some moment: one that waits for another, when there is one."""
        database = self._world.database(process)
        await asyncio.sleep((0.0, 0.0, 3.0)[self._world.choices.pick(3)])
        for _ in range(10 * self._world.choices.pick(6)):
            await asyncio.sleep(0)
        rows = sorted(self._world.rows(QUEUED), key=lambda row: (row["state"] != "blocked", row["event_id"]))
        if rows:
            chosen = rows[self._world.choices.fate((0.3,)) % len(rows)]
            self._cancelled = chosen["payload"]["name"]
            with suppress(*_FAULTS):
                async with database.session() as session:
                    await session.execute(_CANCEL, {"id": chosen["event_id"]})

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
        # Who lost an event that nobody will claim again has the newest token that the ledger can know: it was
        # cancelled, failed by a rescuer, or by a last attempt that marked nothing. What it sends then can be late, and
        # its key is free meanwhile.
        known = {(mark.name, mark.token) for mark in self._ledger.marks}
        failed = {row["payload"]["name"]: row for row in self._world.rows(FAILED)}
        gone = {
            name
            for name, row in failed.items()
            if "lease ran out" in row["error"] or (name, row["lease_token"]) not in known
        }
        kept = [request for request in self.requests if request.name not in gone | {self._cancelled}]
        yield from dict.fromkeys(self._ledger.wrong)
        yield from ledger.judge(self._ledger.marks, kept)
        ended: dict[str, list[Row]] = {}
        for row in (*self._world.rows(FINISHED), *self._world.rows(FAILED)):
            ended.setdefault(row["payload"]["name"], []).append(row)
        marked = {mark.name for mark in self._ledger.marks}
        for request in self.requests:
            found = ended.get(request.name, [])
            if len(found) != 1:
                yield f"{request.name} ended {len(found)} times"
            elif "failed_at" in found[0]:
                if self._cancelled != request.name and found[0]["attempt"] <= RETRIES:
                    yield f"{request.name} failed after {found[0]['attempt']} attempts"
            elif request.name not in marked:
                yield f"{request.name} is finished and was never done"
