"""The command line as a person has it, in a directory of its own; forked, because imports cost two seconds."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.zygote import Forked, Zygote

PROGRAM = Path(sys.executable).parent / "athenaeum"
"""What is installed, for what only the program itself shows."""
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

    def __init__(self, process: Forked) -> None:
        self.process = process
        self.lines: list[str] = []

    async def says(self, words: str) -> str:
        """Wait for a line on standard error with these words, after those that were waited for before."""
        async with asyncio.timeout(SECONDS):
            while True:
                ended = not self.process.running
                for line in self._new():
                    self.lines.append(line)
                    if words in line:
                        return line
                if ended:
                    raise AssertionError(f"it ended without saying {words!r}: {self.lines}")
                await asyncio.sleep(0.02)

    async def end(self) -> int | None:
        """Tell it to end, and wait for that."""
        self.process.send(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            await self.process.ended()
        self.lines += self._new()
        assert "Traceback" not in "".join(self.lines)
        return self.process.status

    def _new(self) -> list[str]:
        lines = self.process.log.read_text(encoding="utf-8").splitlines(keepends=True)
        return [line for line in lines[len(self.lines) :] if line.endswith("\n")]


class CommandLine:
    """Runs `athenaeum`, with settings given as variables; no traceback may ever be seen."""

    def __init__(self, directory: Path, database_url: str, zygote: Zygote) -> None:
        self.directory = directory
        self._zygote = zygote
        self._numbers = itertools.count()
        self._environment = {
            "ATHENAEUM_HOME": str(directory / "home"),
            "ATHENAEUM_EMBEDDER": "none",
            "ATHENAEUM_MODEL": "offline",
            "ATHENAEUM_PORT": "0",
            "DATABASE_URL": database_url,
            "COLUMNS": "100",
        }

    async def __call__(self, *arguments: str, **settings: str) -> Outcome:
        process, out = self._start(arguments, settings)
        async with asyncio.timeout(SECONDS):
            await process.ended()
        assert process.status is not None
        outcome = Outcome(process.status, out.read_text(encoding="utf-8"), process.log.read_text(encoding="utf-8"))
        assert "Traceback" not in outcome.out + outcome.err
        return outcome

    @asynccontextmanager
    async def service(self, *arguments: str, **settings: str) -> AsyncGenerator[Service]:
        """A command that serves, killed at the end of the block if it is still there."""
        process, _ = self._start(arguments, settings)
        try:
            yield Service(process)
        finally:
            process.kill()
            await process.ended()

    @asynccontextmanager
    async def piped(self, *arguments: str, stdin: Path, out: Path) -> AsyncGenerator[Forked]:
        """A command between two named pipes, killed at the end of the block if it is still there."""
        process, _ = self._start(arguments, {}, stdin=stdin, out=out)
        try:
            yield process
        finally:
            process.kill()
            await process.ended()

    def _start(
        self,
        arguments: tuple[str, ...],
        settings: dict[str, str],
        *,
        stdin: Path | None = None,
        out: Path | None = None,
    ) -> tuple[Forked, Path]:
        said = self.directory / ".said" / str(next(self._numbers))
        said.parent.mkdir(exist_ok=True)
        out, log = out or said.with_suffix(".out"), said.with_suffix(".log")
        log.touch()
        if not out.exists():
            out.touch()
        process = self._zygote.fork(
            "athenaeum",
            {**self._environment, **settings},
            log=log,
            out=out,
            stdin=stdin,
            arguments=arguments,
            directory=self.directory,
        )
        return process, out
