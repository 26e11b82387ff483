"""The servers of a run, and what this machine allows."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import socket
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from bench.queue.peers.contract import Addresses
from psycopg.conninfo import conninfo_to_dict

from athenaeum.config import Config
from athenaeum.database.embedded import EmbeddedPostgres

_COMMIT = b"SELECT pg_logical_emit_message(true, 'bench', 'x');\n"
"""As little as can be committed durably."""
_SETTINGS = ("server_version", "synchronous_commit", "fsync", "shared_buffers", "wal_level")
_LIBPQ = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}


@dataclass(frozen=True, slots=True)
class Site:
    """Where a run takes place; `folder` is scratch."""

    addresses: Addresses
    folder: Path

    async def checkpoint(self) -> None:
        """Let the next trial begin with a database whose dirty pages are written."""
        async with await psycopg.AsyncConnection.connect(self.addresses.owner, autocommit=True) as connection:
            await connection.execute("CHECKPOINT")

    async def commits(self, clients: int, *, seconds: int = 2) -> float | None:
        """Bare durable commits a second, by pgbench; None where that is not installed."""
        if not (pgbench := shutil.which("pgbench")):
            return None
        target = conninfo_to_dict(self.addresses.owner)
        environment = {name: str(target[key]) for key, name in _LIBPQ.items() if key in target}
        process = await asyncio.create_subprocess_exec(
            *(pgbench, "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--time={seconds}", "--file=-"),
            env={"PATH": os.environ["PATH"], **environment},
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
        )
        output, _ = await process.communicate(_COMMIT)
        found = re.search(r"tps = ([\d.]+)", output.decode())
        return float(found[1]) if found else None

    async def describe(self) -> dict[str, str]:
        """What a reader of the figures has to know of the machine."""
        async with await psycopg.AsyncConnection.connect(self.addresses.owner, autocommit=True) as connection:
            cursor = await connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [list(_SETTINGS)]
            )
            settings = dict(await cursor.fetchall())
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": str(os.cpu_count()),
            "load": f"{os.getloadavg()[0]:.1f}",
            "python": platform.python_version(),
            **{f"postgresql.{name}": value for name, value in sorted(settings.items())},
        }


@asynccontextmanager
async def machine() -> AsyncGenerator[Site]:
    """The servers, for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="athenaeum-bench-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o711)  # noqa: PTH101 - root's PostgreSQL runs as another user, who must come through
        folder = Path(name)
        async with _postgres(folder) as (database, owner), _redis(folder) as redis:
            yield Site(Addresses(database, owner, redis), folder)


@asynccontextmanager
async def _postgres(folder: Path) -> AsyncGenerator[tuple[str, str]]:
    given = Config().database_url
    if given is not None:
        yield given.get_secret_value(), given.get_secret_value()
        return
    async with EmbeddedPostgres(folder / "home") as server:
        yield server.url, server.superuser_url


@asynccontextmanager
async def _redis(folder: Path) -> AsyncGenerator[str]:
    """The address of a Redis with the settings it comes with; empty where it is not installed."""
    if not (program := shutil.which("redis-server")):
        yield ""
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder))
    # a session of its own: the terminal's Ctrl-C is for us
    server = await asyncio.create_subprocess_exec(
        program, *options, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True
    )
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        with suppress(ProcessLookupError):
            server.terminate()
        await server.wait()
