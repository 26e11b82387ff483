"""Points at which a process can be killed, seen from outside it: what it sends to whom, and what comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from psycopg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from collections.abc import Callable

_STARTUP = frozenset({80877103, 80877104, 80877102})  # SSLRequest, GSSENCRequest, CancelRequest
_HOP_BY_HOP = {"transfer-encoding", "content-length", "connection", "content-encoding", "host"}


@dataclass
class Boundaries:
    """Counts the points that one process passes and kills it at the chosen one.

    With `kill_at` None it only records, which is how the points are found.
    """

    kill_at: int | None = None
    pid: int | None = None
    passed: list[str] = field(default_factory=list[str])
    killed: asyncio.Event = field(default_factory=asyncio.Event)

    async def reach(self, label: str) -> None:
        """Note a point; never returns when it is the one to die at."""
        if self.killed.is_set():
            return
        self.passed.append(label)
        if self.kill_at == len(self.passed) - 1 and self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self.killed.set()
            await asyncio.Event().wait()  # what was on its way is lost with the process


class HttpBoundary:
    """A reverse proxy whose every response is a point: passed before the process sees it."""

    def __init__(self, target: str, boundaries: Boundaries, *, name: Callable[[str], str]) -> None:
        self._target = target.rstrip("/")
        self._boundaries = boundaries
        self._name = name
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP}
        url = f"{self._target}{request.rel_url}"
        try:
            async with self._session.request(request.method, url, data=body, headers=headers) as answer:
                content = await answer.read()
        except aiohttp.ClientError:
            await self._boundaries.reach(f"{self._name(request.path)} lost")
            if request.transport is not None:
                request.transport.abort()
            raise
        await self._boundaries.reach(self._name(request.path))
        kept = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP_BY_HOP}
        return web.Response(body=content, status=answer.status, headers=kept)


class DatabaseBoundary:
    """A proxy of PostgreSQL's protocol whose every committed write is a point, passed before the process hears of it.

    Statements are told apart by their SQL; `interesting` names the ones that count. A claim counts when it gave rows.
    """

    def __init__(self, url: str, boundaries: Boundaries, *, interesting: Callable[[str], str | None]) -> None:
        self._url = url
        self._boundaries = boundaries
        self._interesting = interesting
        self._pipes: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        parts = conninfo_to_dict(self._url)
        port = self._server.sockets[0].getsockname()[1]
        self.url = (
            f"postgresql://{parts['user']}:{parts['password']}@127.0.0.1:{port}/{parts['dbname']}?sslmode=disable"
        )
        self._target = f"{parts['host']}/.s.PGSQL.{parts.get('port', 5432)}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        upstream_reader, upstream = await asyncio.open_unix_connection(self._target)
        session = _Session(self._interesting)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_frontend(reader, upstream, session))
                    group.create_task(_backend(upstream_reader, writer, session, self._boundaries))
            except* (OSError, asyncio.IncompleteReadError):
                pass
        upstream.close()
        writer.close()
        self._pipes.discard(task)


@dataclass
class _Session:
    """One connection: what was sent since the last transaction ended, and what has come back."""

    interesting: Callable[[str], str | None]
    prepared: dict[bytes, str] = field(default_factory=dict[bytes, str])
    written: list[str] = field(default_factory=list[str])
    rows: int = 0

    def sent(self, kind: bytes, body: bytes) -> None:
        if kind == b"Q":
            self._note(body.rstrip(b"\0").decode())
        elif kind == b"P":
            name, query = body.split(b"\0", 2)[:2]
            self.prepared[name] = query.decode()
        elif kind == b"B":
            self._note(self.prepared.get(body.split(b"\0", 2)[1], ""))

    def committed(self, status: bytes) -> str | None:
        """The point that a transaction's end is, if it wrote anything that counts."""
        if status != b"I":
            return None
        written, rows = self.written, self.rows
        self.written, self.rows = [], 0
        if not written or (written == ["claim"] and rows == 0) or "rollback" in written:
            return None
        return " + ".join(dict.fromkeys(written))

    def _note(self, sql: str) -> None:
        text = " ".join(sql.split())
        label = "rollback" if text.upper() == "ROLLBACK" else self.interesting(text)
        if label is not None:
            self.written.append(label)


async def _frontend(reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, session: _Session) -> None:
    while True:  # untyped messages until the startup message is through
        head = await reader.readexactly(8)
        length, code = struct.unpack("!ii", head)
        upstream.write(head + await reader.readexactly(length - 8))
        if code not in _STARTUP:
            break
    while True:
        kind = await reader.readexactly(1)
        size = await reader.readexactly(4)
        body = await reader.readexactly(struct.unpack("!i", size)[0] - 4)
        session.sent(kind, body)
        upstream.write(kind + size + body)
        await upstream.drain()


async def _backend(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: _Session, boundaries: Boundaries
) -> None:
    while True:
        kind = await reader.readexactly(1)
        size = await reader.readexactly(4)
        body = await reader.readexactly(struct.unpack("!i", size)[0] - 4)
        if kind == b"D":
            session.rows += 1
        if kind == b"Z" and (point := session.committed(body)):  # the server is ready again: it is on disk
            await boundaries.reach(point)
        writer.write(kind + size + body)
        await writer.drain()


def slack_method(path: str) -> str:
    """The point's name for a Web API call."""
    return f"slack {urlsplit(path).path.rsplit('/', 1)[-1]}"
