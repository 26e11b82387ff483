from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from support.events import Queue, until

EXAMPLE = Path(__file__).parents[3] / "examples" / "handler.py"


async def _run(url: str, *arguments: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "DATABASE_URL": url}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )


async def test_the_example_greets_who_was_put_into_the_queue_and_stops_when_told(events: Queue) -> None:
    putting = await _run(events.database.url, "put", "Ada", "", "Godot", "Ada")
    assert await putting.wait() == 0
    working = await _run(events.database.url, "work")
    assert working.stdout is not None
    async with asyncio.timeout(30):
        while b"Hello, Ada!" not in await working.stdout.readline():
            pass

    async def settled() -> bool:
        return await events.stats() == {"pending": 1, "processing": 0, "completed": 1, "failed": 1}

    await until(settled)
    working.send_signal(signal.SIGTERM)
    rest, _ = await working.communicate()
    assert working.returncode == 0
    assert b"Hello" not in rest
