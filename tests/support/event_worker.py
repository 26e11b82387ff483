"""A worker in a process of its own, for tests that kill it.

    python event_worker.py DATABASE_URL LOG SECONDS LEASE DRAIN

Writes `begin N PID TIME` and `end N PID TIME` to LOG around each event, which takes SECONDS; times are of the
machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import Event
from athenaeum.worker.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log."""

    said: str
    n: int
    pid: int
    at: float


def entries(log: Path, said: str) -> list[Entry]:
    """The lines that begin with a word; none before there is a log."""
    if not log.exists():
        return []
    found = (line.split() for line in log.read_text(encoding="utf-8").splitlines())
    return [Entry(word, int(n), int(pid), float(at)) for word, n, pid, at in found if word == said]


async def main(url: str, log: Path, *, work: float, lease: float, drain: float) -> None:
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(said: str, event: Event) -> None:
        os.write(out, f"{said} {event.payload['n']} {os.getpid()} {time.monotonic():.6f}\n".encode())

    async def handle(event: Event) -> None:
        write("begin", event)
        await asyncio.sleep(work)
        write("end", event)

    async with DatabaseConnection(url) as database:
        pool = WorkerPool(
            5,
            database,
            handle,
            visibility_timeout=timedelta(seconds=lease),
            drain_time=timedelta(seconds=drain),
        )
        await pool.run_forever()


def run() -> None:
    _, url, log, *seconds = sys.argv
    work, lease, drain = map(float, seconds)
    asyncio.run(main(url, Path(log), work=work, lease=lease, drain=drain))


if __name__ == "__main__":
    run()
