# ruff: noqa: A005 - the folder is no package, and its name is what it measures
"""The queue's speed: claims, wake-up, draining, beside their floors in the requirements and the bare commit rate.

    python bench/queue [--events 20000] [--workers 10] [--json FILE]

Runs on DATABASE_URL, which must be scratch, or on an embedded server in a temporary home. The handler does nothing;
the worker and the producer that wakes it are processes of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import structlog
from rich.console import Console
from rich.table import Table

from athenaeum.config import Config
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.events import queue
from athenaeum.events.link import Link
from athenaeum.worker.pool import WorkerPool

FILL = (
    "SELECT count(events_enqueue(%s, 'bench', jsonb_build_object('i', i, 'text', repeat('x', 300)),"
    " %s || i, %s || i, 0, '0')) FROM generate_series(1, %s) AS i"
)
ENQUEUE = "SELECT events_enqueue(%s, 'bench', %s::jsonb, %s, %s, 0, '0')"
LEASE = timedelta(minutes=1)
WARM = 20


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table; `floor` is what requirements.md asks for, and `met` whether it is reached."""

    name: str
    value: float
    unit: str
    floor: str = ""
    met: bool | None = None


def milliseconds(
    name: str, seconds: Sequence[float], *, p50: float | None = None, p99: float | None = None, row: str
) -> list[Measure]:
    ordered = sorted(seconds)
    lines: list[Measure] = []
    for label, value, floor in (
        ("p50", statistics.median(ordered), p50),
        ("p99", ordered[int(len(ordered) * 0.99)], p99),
    ):
        asked = f"< {floor:g} ms ({row})" if floor else ""
        lines.append(Measure(f"{name}, {label}", value * 1000, "ms", asked, value * 1000 < floor if floor else None))
    return lines


async def commit_rate(connection: psycopg.AsyncConnection[Any], seconds: float = 2) -> Measure:
    """Durable commits of next to nothing, one after the other: the ceiling of anything that commits each event."""
    began = time.perf_counter()
    count = 0
    while time.perf_counter() - began < seconds:
        await connection.execute("SELECT pg_logical_emit_message(true, 'bench', 'x')", prepare=True)
        count += 1
    return Measure("bare durable commits, one client", count / (time.perf_counter() - began), "/s")


async def claims(link: Link, count: int, *, limit: int) -> list[float]:
    """Seconds of each claim of `limit` events while the queue is full; what is claimed is completed in between."""
    taken: list[float] = []
    for _ in range(count + WARM):
        began = time.perf_counter()
        events = await queue.claim(link, "bench", limit=limit, lease=LEASE)
        taken.append(time.perf_counter() - began)
        await queue.complete(link, events)
    return taken[WARM:]


async def drain(database: DatabaseConnection, link: Link, *, workers: int) -> float:
    """Events a second until the queue is empty and the last outcome is durable, by one process, handler included."""
    [[waiting]] = await link.fetch("SELECT count(*) FROM queued_events", ())
    handled = 0
    all_handled = asyncio.Event()

    async def handle(_: Event) -> None:
        nonlocal handled
        handled += 1
        if handled == waiting:
            all_handled.set()

    began = time.perf_counter()
    async with WorkerPool(workers, database, handle):
        await all_handled.wait()
    seconds = time.perf_counter() - began
    assert await link.fetch("SELECT count(*) FROM queued_events", ()) == [(0,)]
    return waiting / seconds


async def wakeups(database: DatabaseConnection, count: int) -> list[float]:
    """Seconds from the producer's commit to the handler's start, the pool idle before each."""
    started: dict[int, float] = {}
    all_started = asyncio.Event()

    async def handle(event: Event) -> None:
        started[event.payload["i"]] = time.monotonic()
        if len(started) == count + WARM:
            all_started.set()

    async with WorkerPool(10, database, handle):
        producer = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--produce", str(count + WARM), database.url, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await producer.communicate()
        committed: dict[str, float] = json.loads(out)
        async with asyncio.timeout(30):
            await all_started.wait()
    return [started[int(i)] - at for i, at in committed.items()][WARM:]


def produce(count: int, url: str) -> None:
    """Enqueue one event at a time with pauses between; print the moment of each commit, on the machine's clock."""
    committed: dict[int, float] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET ROLE athenaeum_engine")
        time.sleep(1)
        for i in range(count):
            time.sleep(0.02 + (i * 7 % 10) / 1000)
            connection.execute(ENQUEUE, (DEFAULT_TENANT, json.dumps({"i": i}), f"wake-{i}", f"wake-{i}"))
            committed[i] = time.monotonic()
    print(json.dumps(committed))


async def measure(database: DatabaseConnection, *, events: int, workers: int) -> list[Measure]:
    results: list[Measure] = []
    async with Link(database, prelude=queue.HURRY) as claiming, Link(database, patience=timedelta(minutes=5)) as link:
        async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as bare:
            results.append(await commit_rate(bare))

        async def fill(name: str) -> float:
            began = time.perf_counter()
            await link.fetch(FILL, (DEFAULT_TENANT, f"{name}-", f"{name}-", events))
            return events / (time.perf_counter() - began)

        results.append(Measure("enqueue, in one transaction", await fill("claims"), "/s"))
        for limit in (1, workers):
            seconds = await claims(claiming, min(300, events // (3 * workers)), limit=limit)
            name = f"claim of {limit}, {events:,} waiting"
            results += milliseconds(name, seconds, p99=10, row="A1")
        await drain(database, link, workers=workers)
        results += milliseconds("idle: commit to handler start", await wakeups(database, 300), p50=1, row="A4")
        await fill("drain")
        rate = await drain(database, link, workers=workers)
        results.append(Measure(f"drain of {events:,}, {workers} workers", rate, "/s", "> 100 /s (A5)", rate > 100))
    return results


@asynccontextmanager
async def scratch() -> AsyncGenerator[DatabaseConnection]:
    given = Config().database_url
    if given is not None:
        async with DatabaseConnection(given.get_secret_value()) as database:
            await database.create_tables()
            yield database
        return
    with home() as folder:
        async with EmbeddedPostgres(folder) as server, DatabaseConnection(server.url) as database:
            await database.create_tables()
            yield database


@contextmanager
def home() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="athenaeum-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # root's PostgreSQL runs as another user, who must come through
        yield Path(folder)


async def main(arguments: argparse.Namespace) -> int:
    async with scratch() as database:
        results = await measure(database, events=arguments.events, workers=arguments.workers)
    table = Table("measure", "result", "floor", "")
    for line in results:
        value = f"{line.value:,.2f} {line.unit}" if line.unit == "ms" else f"{line.value:,.0f} {line.unit}"
        table.add_row(line.name, value, line.floor, {True: "met", False: "MISSED", None: ""}[line.met])
    Console().print(table)
    if arguments.json:
        report = {
            "events": arguments.events,
            "workers": arguments.workers,
            "results": [asdict(line) for line in results],
        }
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(any(line.met is False for line in results))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--produce"]:
        produce(int(sys.argv[2]), sys.argv[3])
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000, help="how many events to drain")
    parser.add_argument("--workers", type=int, default=10, help="size of the worker pool")
    parser.add_argument("--json", type=Path, help="write the results to this file as well")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    sys.exit(asyncio.run(main(parser.parse_args())))
