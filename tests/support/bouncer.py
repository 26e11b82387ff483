"""A real PgBouncer in transaction mode before a database: each transaction gets any of a few connections."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from athenaeum.database.embedded.owner import Owner
from support.embedded import until

BOTH_DOORS = pytest.mark.parametrize("door", ["direct", "pooled"], indirect=True)
"""For a suite: each test is run once with its database and once with PgBouncer before it."""

_SETTINGS = """
[databases]
* = host={host} port={inner_port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 500
logfile = {log}
"""


class PgBouncer:
    """A process of its own; an async context manager.

    Attributes:
        url: The database's address through it.
    """

    def __init__(self, database_url: str, *, size: int = 3, mode: str = "transaction") -> None:
        self._parts, self._size, self._mode = urlsplit(database_url), size, mode
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if program is None:
            pytest.skip("pgbouncer is not installed")
        self._home = Path(tempfile.mkdtemp(prefix="athenaeum-pgbouncer-"))
        options = {name: values[0] for name, values in parse_qs(self._parts.query).items()}
        host, port = options.get("host") or self._parts.hostname or "127.0.0.1", _free_port()
        owner = Owner.of(Path(host)) if host.startswith("/") else Owner.of()
        user, password = self._parts.username or "", unquote(self._parts.password or "")
        (self._home / "users").write_text(f'"{user}" "{password}"\n', encoding="utf-8")
        settings = _SETTINGS.format(
            host=host,
            inner_port=options.get("port") or self._parts.port or 5432,
            port=port,
            users=self._home / "users",
            mode=self._mode,
            size=self._size,
            log=self._home / "log",
        )
        (self._home / "settings.ini").write_text(settings, encoding="utf-8")
        for path in (self._home, *self._home.iterdir()):
            os.chown(path, owner.uid, owner.gid)
        self._command, self._owner, self._port = (program, str(self._home / "settings.ini")), owner, port
        await self._start()
        self.url = f"postgresql://{user}:{self._parts.password}@127.0.0.1:{port}{self._parts.path}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            await self._stop(self._process)
            shutil.rmtree(self._home)

    async def restart(self) -> None:
        """End it with all its connections, and start it again."""
        assert self._process is not None
        await self._stop(self._process)
        await self._start()

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            **self._owner.credentials,
        )
        await until(lambda: _answers(self._port))

    @staticmethod
    async def _stop(process: asyncio.subprocess.Process) -> None:
        process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
