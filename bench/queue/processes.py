"""The processes of a trial, started and ended by the one that measures."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from bench.queue.child import Task

_REPOSITORY = Path(__file__).parents[2]
_PATIENCE = 15  # seconds for a worker to end


class ChildError(Exception):
    """A process of a trial did not do what it was started for."""


async def _start(task: Task, log: Path) -> Process:
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.queue.child"),
            cwd=_REPOSITORY,
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            start_new_session=True,  # the terminal's Ctrl-C is for us
        )
    assert process.stdin is not None
    process.stdin.write(task.dump())
    await process.stdin.drain()
    process.stdin.close()
    return process


@asynccontextmanager
async def worker(task: Task) -> AsyncGenerator[Worker]:
    """A running worker, ended with the block."""
    log = Path(task.folder) / "worker.log"
    process = await _start(task, log)
    try:
        yield Worker(process, log)
    finally:
        await _end(process)


class Worker:
    """A worker's process."""

    def __init__(self, process: Process, log: Path) -> None:
        self._process = process
        self._log = log

    def check(self) -> None:
        """See that it lives.

        Raises:
            ChildError: It has ended.
        """
        if self._process.returncode is not None:
            raise ChildError(f"the worker ended: {_tail(self._log)}")


async def produce(task: Task) -> dict[str, Any]:
    """Run a producer to its end, and give what it prints.

    Raises:
        ChildError: It failed.
    """
    log = Path(task.folder) / "producer.log"
    process = await _start(task, log)
    try:
        output, _ = await process.communicate()
    finally:
        await _end(process)
    if process.returncode:
        raise ChildError(f"the producer failed: {_tail(log)}")
    return json.loads(output)


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
