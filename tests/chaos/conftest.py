"""What the tests share that stop the product's processes."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.database import PostgresServer
from support.ordeal import BeginOrdeal, Ordeal, ordeal
from support.redis_server import RedisServer
from support.town import BeginTown, Town, town
from support.trials import Trial
from support.zygote import Zygote


@pytest.fixture(scope="session")
def storm() -> bool:
    """Whether processes are stopped at every point of every trial, not at a sample."""
    return os.environ.get("ATHENAEUM_STORM", "") not in {"", "0"}


@pytest.fixture
def engine() -> str:
    """Who brings events to workers; tests that are to run on several say so by `parametrize`."""
    return "postgres"


@pytest.fixture
def begin_ordeal(
    request: pytest.FixtureRequest,
    postgres: PostgresServer,
    template: str,
    zygote: Zygote,
    tmp_path: Path,
    engine: str,
) -> BeginOrdeal:
    """Begins ordeals, any number at once, each in a world of its own."""
    numbers = itertools.count()
    redis: RedisServer | None = request.getfixturevalue("redis_server") if engine == "celery" else None

    @asynccontextmanager
    async def begin(trial: Trial) -> AsyncGenerator[Ordeal]:
        home = tmp_path / str(next(numbers))
        home.mkdir()
        broker = redis.new_database() if redis is not None else None
        async with ordeal(
            trial, postgres=postgres, template=template, zygote=zygote, home=home, broker=broker
        ) as begun:
            yield begun

    return begin


@pytest.fixture
def begin_town(zygote: Zygote, seed: Path) -> BeginTown:
    """Begins towns with settings of the test's; each has a database server of its own."""

    @asynccontextmanager
    async def begin(settings: Mapping[str, str]) -> AsyncGenerator[Town]:
        # Not under pytest's own folder, which another user may not enter: root's PostgreSQL runs as one.
        with tempfile.TemporaryDirectory(prefix="athenaeum-town-", ignore_cleanup_errors=True) as folder:
            base = Path(folder)
            base.chmod(0o711)  # noqa: ASYNC240 - as quick as it is local
            logs = base / "logs"
            logs.mkdir()
            await asyncio.to_thread(subprocess.run, ["cp", "--archive", seed, base / "home"], check=True)
            async with town(base / "home", zygote, logs, settings) as begun:
                yield begun

    return begin


@pytest.fixture
def small_disk(home: Path) -> Generator[Path]:
    """The home on a file system of 120 MB."""
    home.mkdir()
    options = ["-t", "tmpfs", "-o", "size=120m,mode=0711", "tmpfs"]
    if os.geteuid() or subprocess.run(["mount", *options, home], capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield home
    subprocess.run(["umount", "--lazy", home], check=True)
