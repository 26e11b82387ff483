"""The trials: each takes one peer, and gives figures by the name of what they measure."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.queue.child import WARM, Task
from bench.queue.machine import Site
from bench.queue.peers.contract import Peer
from bench.queue.processes import ChildError, Worker, produce, worker
from bench.queue.record import Record
from bench.queue.scenes import Scene

Figures = dict[str, float]

_LONGEST = 40
"""Seconds after which a drain is stopped, and its rate taken from what it got through."""
_RUSH = {1: 3_000, 10: 6_000}
"""How many events so many clients enqueue."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Where a peer is measured, and with what."""

    site: Site
    scene: Scene
    name: str
    peer: Peer
    events: int

    def task(self, folder: str, role: str, count: int, *, clients: int = 1, rate: float = 0) -> Task:
        return Task(self.name, role, self.site.addresses, folder, count, clients, rate)

    def folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(dir=self.site.folder)


async def drain(trial: Trial) -> Figures:
    """Enqueue in bulk, then let a worker begin: from its first handler's start until the last end is durable."""
    count = trial.scene.waiting or trial.events
    with trial.folder() as folder:
        record = Record(Path(folder), count)
        figures: Figures = {}
        if not trial.scene.waiting:
            done = await produce(trial.task(folder, "bulk", count))
            figures["bulk"] = count / done["seconds"]
        await trial.site.checkpoint()
        async with worker(trial.task(folder, "work", count)) as process:
            ended = await _drained(trial, record, process)
        starts = record.starts()
        if len(starts) < 2:
            raise ChildError(f"the worker started {len(starts)} events in {_LONGEST} s")
        if record.repeated():
            raise ChildError(f"{record.repeated()} events were run twice")
        if ended is not None:
            figures["drain"] = len(starts) / ((ended - starts[0]) / 1e9)
        starts = starts[: trial.events]
        figures["pace"] = len(starts) / ((starts[-1] - starts[0]) / 1e9)
        return figures | _claims(record)


async def _drained(trial: Trial, record: Record, process: Worker) -> int | None:
    """When the last end was durable; None of a drain beside a backlog, which has no end that could be seen."""
    wanted = record.count - trial.events
    deadline = time.monotonic() + _LONGEST
    while record.missing() > wanted:
        process.check()
        if time.monotonic() > deadline:
            return time.monotonic_ns() if wanted == 0 else None
        await asyncio.sleep(0.02)
    if wanted:
        return None
    while await trial.peer.unfinished():  # noqa: ASYNC110 - the worker is another process
        await asyncio.sleep(0.005)
    return time.monotonic_ns()


def _claims(record: Record) -> Figures:
    claims = record.claims()
    if not claims:
        return {}
    return _percentiles("claim", [nanoseconds for nanoseconds, _ in claims]) | {
        "rows": statistics.mean(rows for _, rows in claims)
    }


async def enqueue(trial: Trial) -> Figures:
    """One by one, and ten clients at once; no worker takes anything out meanwhile."""
    figures: Figures = {}
    for clients, count in _RUSH.items():
        await _begin_anew(trial)
        with trial.folder() as folder:
            Record(Path(folder), count)
            done = await produce(trial.task(folder, "rush", count, clients=clients))
            figures[f"enqueue{clients}"] = (count - WARM * clients) / done["seconds"]
    return figures


async def idle(trial: Trial) -> Figures:
    """From the return of the commit to the handler's start, the worker idle before each."""
    return await _wakeups(trial, "idle", "spaced", count=300, rate=28)


async def paced(trial: Trial) -> Figures:
    """The same at a rate of 200 a second, from four clients."""
    return await _wakeups(trial, "paced", "paced", count=1600, rate=200)


async def _wakeups(trial: Trial, name: str, role: str, *, count: int, rate: float) -> Figures:
    await _begin_anew(trial)
    with trial.folder() as folder:
        record = Record(Path(folder), count)
        async with worker(trial.task(folder, "work", count)) as process:
            await produce(trial.task(folder, role, count, clients=4 if role == "paced" else 1, rate=rate))
            deadline = time.monotonic() + 30
            while record.missing():
                process.check()
                if time.monotonic() > deadline:
                    raise ChildError(f"{record.missing()} events were not handled")
                await asyncio.sleep(0.02)
        sent, committed, started = (
            column.tolist()[WARM:] for column in (record.sent, record.committed, record.started)
        )
        call = statistics.median(_spans(sent, started)) / 1e6
        return _percentiles(name, _spans(committed, started)) | {f"{name}_call_p50": call}


async def _begin_anew(trial: Trial) -> None:
    """Leave nothing of the last trial but what it has finished; a past that took long to make stays."""
    await (trial.peer.discard() if trial.scene.finished else trial.peer.empty())
    await trial.site.checkpoint()


def _spans(begins: Sequence[int], ends: Sequence[int]) -> list[int]:
    return [max(0, end - begin) for begin, end in zip(begins, ends, strict=True)]


def _percentiles(name: str, nanoseconds: Sequence[int]) -> Figures:
    """The median and the 99th percentile, in milliseconds."""
    cuts = statistics.quantiles(nanoseconds, n=100, method="inclusive")
    return {f"{name}_p50": cuts[49] / 1e6, f"{name}_p99": cuts[98] / 1e6}


TRIALS: dict[str, Callable[[Trial], Awaitable[Figures]]] = {
    "drain": drain,
    "idle": idle,
    "paced": paced,
    "enqueue": enqueue,
}
OF_A_BACKLOG = ("drain",)
"""What is measured beside waiting events: others stand in a line behind them."""
