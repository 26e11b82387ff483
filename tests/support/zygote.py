"""Workers in processes of their own within milliseconds: one process imports the product once and forks.

Run as a program, it reads one JSON object a line (`{"environment": {...}}`), forks a worker with that
environment, and prints the worker's process id. It ends, and its workers with it, when its input closes.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class Zygote:
    """The forking process, from the side of a test; kills what it forked when it is left."""

    def __init__(self) -> None:
        self._pids: list[int] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        for pid in self._pids:
            kill(pid)
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def fork(self, environment: Mapping[str, str]) -> int:
        """Start a worker with these settings and give its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"environment": dict(environment)}).encode() + b"\n")
        await self._process.stdin.drain()
        pid = int(await self._process.stdout.readline())
        self._pids.append(pid)
        return pid


def kill(pid: int) -> None:
    """SIGKILL a process that may have gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _serve() -> None:
    import pydantic_ai.models.anthropic  # noqa: F401, PLC0415 - likewise
    from athenaeum.commands.serving import worker  # noqa: PLC0415

    import athenaeum.wiring  # noqa: F401, PLC0415 - the slow import that every fork then has

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdout = sys.stderr
            os.environ.update(json.loads(line)["environment"])
            os.chdir(os.environ["ATHENAEUM_HOME"])
            worker()
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
