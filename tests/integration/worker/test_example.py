from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from support.events import Queue, until

EXAMPLE = Path(__file__).parents[3] / "examples" / "own_handler" / "handler.py"


async def _run(url: str, *arguments: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "DATABASE_URL": url}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLE), *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )


async def _put(events: Queue, *names: str) -> None:
    putting = await _run(events.database.url, "put", *names)
    assert await putting.wait() == 0


async def _says(working: asyncio.subprocess.Process, words: bytes) -> None:
    assert working.stdout is not None
    async with asyncio.timeout(60):
        while words not in await working.stdout.readline():
            assert not working.stdout.at_eof()


async def test_the_example_greets_who_was_put_into_the_queue_and_stops_when_told(events: Queue) -> None:
    await _put(events, "Ada", "", "Godot", "Ada")
    working = await _run(events.database.url, "work")
    await _says(working, b"Hello, Ada!")

    async def settled() -> bool:
        return await events.stats() == {"pending": 1, "processing": 0, "completed": 1, "failed": 1}

    await until(settled)
    working.send_signal(signal.SIGTERM)
    rest, _ = await working.communicate()
    assert working.returncode == 0
    assert b"Hello" not in rest


async def test_the_example_hears_of_names_that_come_while_it_works_and_greets_nobody_twice(events: Queue) -> None:
    working = await _run(events.database.url, "work")
    await _put(events, "Ada")
    await _says(working, b"Hello, Ada!")
    await _put(events, "Ada", "Grace")
    await _says(working, b"Hello, Grace!")
    working.kill()
    rest, _ = await working.communicate()
    assert b"Ada" not in rest
    assert await events.stats() in (
        {"pending": 0, "processing": processing, "completed": 2 - processing, "failed": 0} for processing in (0, 1)
    )


def test_the_example_has_thirty_lines() -> None:
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 30
