"""A worker in a process of its own, for tests that kill it.

    python event_worker.py DATABASE_URL LOG SECONDS LEASE DRAIN

Writes `begin N PID` and `end N PID` to LOG around each event, which takes SECONDS.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import Event
from athenaeum.worker.pool import WorkerPool


async def main(url: str, log: Path, *, work: float, lease: float, drain: float) -> None:
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def handle(event: Event) -> None:
        os.write(out, f"begin {event.payload['n']} {os.getpid()}\n".encode())
        await asyncio.sleep(work)
        os.write(out, f"end {event.payload['n']} {os.getpid()}\n".encode())

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
