"""The command line as a person has it: the installed program, in a directory of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from athenaeum.config import Config

PROGRAM = Path(sys.executable).parent / "athenaeum"
SECONDS = 90


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """What it complained of, when that was all it wrote to standard error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0].removeprefix("athenaeum: ")


class Service:
    """A command that goes on until it is told to end."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def says(self, words: str) -> str:
        """Wait for a line on standard error with these words."""
        assert self.process.stderr is not None
        async with asyncio.timeout(SECONDS):
            while line := (await self.process.stderr.readline()).decode():
                self.lines.append(line)
                if words in line:
                    return line
        raise AssertionError(f"it ended without saying {words!r}: {self.lines}")

    async def end(self) -> int:
        """Tell it to end, and wait for that."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            self.lines += (await self.process.communicate())[1].decode().splitlines(keepends=True)
        assert "Traceback" not in "".join(self.lines)
        return await self.process.wait()


class CommandLine:
    """Runs `athenaeum`, with settings given as variables; no traceback may ever be seen."""

    def __init__(self, directory: Path, database_url: str) -> None:
        self.directory = directory
        ours = Config().describe()
        inherited = {name: value for name, value in os.environ.items() if name not in ours}
        self._environment = {
            **inherited,
            "ATHENAEUM_HOME": str(directory / "home"),
            "ATHENAEUM_EMBEDDER": "none",
            "ATHENAEUM_MODEL": "offline",
            "ATHENAEUM_PORT": "0",
            "DATABASE_URL": database_url,
            "COLUMNS": "100",
        }

    async def __call__(self, *arguments: str, **settings: str) -> Outcome:
        process = await self._start(arguments, settings)
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate()
        outcome = Outcome(await process.wait(), out.decode(), err.decode())
        assert "Traceback" not in outcome.out + outcome.err
        return outcome

    @asynccontextmanager
    async def service(self, *arguments: str, **settings: str) -> AsyncGenerator[Service]:
        """A command that serves, killed at the end of the block if it is still there."""
        process = await self._start(arguments, settings)
        try:
            yield Service(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def _start(self, arguments: tuple[str, ...], settings: dict[str, str]) -> Process:
        environment = {**self._environment, **settings}
        return await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=self.directory, env=environment
        )
