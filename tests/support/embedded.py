"""Homes with an embedded PostgreSQL of their own, and processes that use them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from athenaeum.database.embedded import EmbeddedPostgres, postmaster
from athenaeum.database.embedded.deadline import Deadline
from athenaeum.database.embedded.lock import FileLock
from athenaeum.database.embedded.owner import Credentials, Owner
from athenaeum.database.embedded.place import Premises

_TESTS = Path(__file__).parent.parent


@dataclass(slots=True)
class User:
    """A process that uses the database of one home."""

    process: asyncio.subprocess.Process
    url: str = ""
    data_dir: Path = Path()
    error: str = ""

    async def hear(self) -> dict[str, Any]:
        """Its next answer."""
        assert self.process.stdout
        async with asyncio.timeout(60):
            line = await self.process.stdout.readline()
        return json.loads(line) if line else {}

    async def greet(self) -> None:
        """Wait until it has entered, or failed to."""
        answer = await self.hear()
        self.url = answer.get("url", "")
        self.data_dir = Path(answer.get("data_dir", ""))
        self.error = answer.get("error", "")

    async def ensure(self) -> None:
        """Let it bring the server back."""
        assert self.process.stdin
        self.process.stdin.write(b"ensure\n")
        assert await self.hear() == {"ensured": True}

    async def leave(self) -> None:
        """Let it leave in order."""
        assert self.process.stdin
        self.process.stdin.close()
        await self.end()

    async def kill(self) -> None:
        """Kill it as the kernel would."""
        self.process.kill()
        await self.end()

    async def end(self) -> None:
        """Wait for its end."""
        async with asyncio.timeout(60):
            await self.process.wait()


class StartUser(Protocol):
    """Starts a process that uses a home; with `greeted=False` it is not waited for."""

    def __call__(
        self,
        home: Path,
        *,
        greeted: bool = True,
        path: Path | None = None,
        environment: dict[str, str] | None = None,
        ordinary: Owner | None = None,
    ) -> Awaitable[User]: ...


@pytest.fixture(scope="session")
def seed() -> Generator[Path]:
    """A home whose database was created and stopped: copying it is ten times faster than creating one."""
    base = Path(tempfile.mkdtemp(prefix="athenaeum-seed-"))
    base.chmod(0o711)
    asyncio.run(_create(base / "home"))
    yield base / "home"
    shutil.rmtree(base)


async def _create(home: Path) -> None:
    async with EmbeddedPostgres(home):
        pass


@pytest.fixture
def used_home(home: Path, seed: Path) -> Path:
    """A home that has a database already, which does not run."""
    subprocess.run(["cp", "--archive", seed, home], check=True)
    return home


@pytest.fixture
def home() -> Generator[Path]:
    """A home that any operating-system user can reach; what is left running there is stopped."""
    base = Path(tempfile.mkdtemp(prefix="athenaeum-embedded-"))
    base.chmod(0o711)
    yield base / "home"
    for root in [*base.rglob("postgres"), *_noted(base)]:
        if (root / "server.lock").exists():
            postmaster.stop(Premises(root, Owner.of(root / "data")), Deadline(timedelta(seconds=20)))
            shutil.rmtree(root)
    shutil.rmtree(base)


def _noted(base: Path) -> list[Path]:
    return [Path(note.read_text(encoding="utf-8").strip()) for note in base.rglob("postgres.location")]


@pytest.fixture
async def start_user() -> AsyncGenerator[StartUser]:
    """Starts processes that use a home, each the leader of its own process group; the living are killed at the end."""
    users: list[User] = []

    async def start(
        home: Path,
        *,
        greeted: bool = True,
        path: Path | None = None,
        environment: dict[str, str] | None = None,
        ordinary: Owner | None = None,
    ) -> User:
        imports = (path, _TESTS, *sys.path[1:]) if ordinary else (path, _TESTS)
        credentials: Credentials = ordinary.credentials if ordinary else {}
        process = await asyncio.create_subprocess_exec(
            *(python(ordinary), "-m", "support.embedded_user", str(home)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={"PYTHONPATH": os.pathsep.join(map(str, filter(None, imports))), **(environment or {})},
            start_new_session=True,
            **credentials,
        )
        user = User(process)
        users.append(user)
        if greeted:
            await user.greet()
        return user

    yield start
    for user in users:
        if user.process.returncode is None:
            await user.kill()
        # asyncio closes a process's pipes only when told to
        user.process._transport.close()  # type: ignore[attr-defined]


def python(user: Owner | None) -> str:
    """An interpreter that this user can run; root's own is often private."""
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    for program in (sys.executable, system):
        if user is None or user.can_enter(Path(program).resolve().parent):
            return program
    pytest.skip("no interpreter is in an ordinary user's reach")


def running(root: Path) -> bool:
    """Whether any process of the server of this place lives."""
    lock = FileLock(root / "server.lock", Owner.of(root / "data"))
    try:
        return not lock.seize()
    finally:
        lock.close()


def postmaster_of(data_dir: Path) -> int:
    """The process id of a running server."""
    return int((data_dir / "postmaster.pid").read_text(encoding="utf-8").split()[0])


def kill_postmaster(data_dir: Path) -> None:
    """Kill the server as the kernel would."""
    with suppress(ProcessLookupError):
        os.kill(postmaster_of(data_dir), signal.SIGKILL)


def execute(url: str, statement: str) -> list[Any]:
    """Run one statement on a connection of its own; the first column of its rows."""
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        return [row[0] for row in cursor] if cursor.description else []


async def until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    """Wait for a condition that another process brings about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - nothing of ours tells
            await asyncio.sleep(0.01)
