"""Points at which a process can be stopped, seen from outside it: what it asks of whom, and what comes back.

A point is passed when the other side has done its part and the process has not heard of it yet. To be killed at
a point is therefore to die after it and before the next one.
"""

from __future__ import annotations

import asyncio
import os
import struct
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from psycopg.conninfo import conninfo_to_dict

_STARTUP = frozenset({80877103, 80877104})  # SSLRequest and GSSENCRequest; what follows them is the startup message
_HOP_BY_HOP = {"transfer-encoding", "content-length", "connection", "content-encoding", "host"}


@dataclass(slots=True)
class Boundaries:
    """Names the points that one process passes, and does something at the chosen one.

    A point's name is its label and how often the label came, such as "slack chat.update 2".
    """

    stop_at: str | None = None
    stop: Callable[[], None] | None = None
    passed: list[str] = field(default_factory=list[str])
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    begun: Counter[str] = field(default_factory=Counter[str])
    """What was asked for, by label, whether or not it was answered."""
    _labels: Counter[str] = field(default_factory=Counter[str])

    def reach(self, label: str) -> None:
        """Note a point; the process is stopped when it is the chosen one."""
        if self.reached.is_set():
            return
        self._labels[label] += 1
        point = f"{label} {self._labels[label]}"
        self.passed.append(point)
        if point == self.stop_at and self.stop is not None:
            self.stop()
            self.reached.set()


class HttpBoundary:
    """A reverse proxy whose every response is a point; of a stream, the middle as well."""

    def __init__(self, target: str, boundaries: Boundaries, *, name: Callable[[str], str]) -> None:
        """`name` gives a path its label."""
        self._target = target.rstrip("/")
        self._boundaries = boundaries
        self._name = name
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        label = self._name(request.path)
        body = await request.read()
        headers = {key: value for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP}
        self._boundaries.begun[label] += 1
        try:
            async with self._session.request(
                request.method, f"{self._target}{request.rel_url}", data=body, headers=headers
            ) as answer:
                content = await answer.read()
        except aiohttp.ClientError:
            self._boundaries.reach(f"{label}, response lost")
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        self._boundaries.reach(label)
        kept = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP_BY_HOP}
        if answer.content_type != "text/event-stream":
            return web.Response(body=content, status=answer.status, headers=kept)
        return await self._stream(request, web.StreamResponse(status=answer.status, headers=kept), content)

    async def _stream(self, request: web.Request, response: web.StreamResponse, content: bytes) -> web.StreamResponse:
        half = len(content) // 2
        with suppress(ConnectionError):
            await response.prepare(request)
            await response.write(content[:half])
            self._boundaries.reach(f"{self._name(request.path)}, half of it")
            await response.write(content[half:])
        return response


class DatabaseBoundary:
    """A proxy of PostgreSQL's protocol; a transaction that did something with a name is a point when it has ended.

    With `within`, each named statement inside a transaction is a point too, before anything is committed.
    """

    def __init__(
        self, url: str, boundaries: Boundaries, *, name: Callable[[str], str | None], within: bool = False
    ) -> None:
        """`name` gives a statement its label, None to those that don't matter."""
        self._url = url
        self._boundaries = boundaries
        self._name = name
        self._within = within
        self._pipes: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        parts = urlsplit(self._url)
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}"
        self.url = parts._replace(netloc=netloc, query="sslmode=disable&gssencmode=disable").geturl()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.gather(*self._pipes)  # each ends with its client, which has gone by now
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pipes.add(task)
        upstream_reader, upstream = await _connect(self._url)
        conversation = _Conversation(self._name, self._boundaries, within=self._within)
        both = (
            asyncio.create_task(_ask(reader, upstream, conversation)),
            asyncio.create_task(_answer(upstream_reader, writer, conversation)),
        )
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pipe in both:
                pipe.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            upstream.close()
            writer.close()
            self._pipes.discard(task)


class _Conversation:
    """One connection: what was sent since the last transaction ended, and what has come back."""

    def __init__(self, name: Callable[[str], str | None], boundaries: Boundaries, *, within: bool) -> None:
        self._name = name
        self._boundaries = boundaries
        self._within = within
        self._prepared: dict[bytes, str] = {}
        self._asked: deque[str | None] = deque()
        self._done: list[str] = []

    def ask(self, kind: bytes, body: bytes) -> None:
        """A message of the client's."""
        if kind == b"Q":
            self._note(body.rstrip(b"\0").decode())
        elif kind == b"P":
            name, query = body.split(b"\0", 2)[:2]
            self._prepared[name] = query.decode()
        elif kind == b"B":
            self._note(self._prepared.get(body.split(b"\0", 2)[1], ""))

    def answer(self, kind: bytes, body: bytes) -> None:
        """A message of the server's, about to be passed on: C and E end a statement, Z tells what became of it."""
        if kind == b"C" and body == b"ROLLBACK\0":
            self._done.clear()
        if kind in {b"C", b"E"} and self._asked:
            label = self._asked.popleft()
            if label is not None and kind == b"C" and not body.endswith(b" 0\0"):  # it found or changed something
                self._done.append(label)
        elif kind == b"Z":
            self._asked.clear()
            if body == b"I" and self._done:
                self._boundaries.reach(" and ".join(dict.fromkeys(self._done)))
                self._done.clear()
            elif body == b"T" and self._done and self._within:
                self._boundaries.reach(f"{self._done[-1]}, uncommitted")

    def _note(self, sql: str) -> None:
        statement = " ".join(sql.split())
        label = self._name(statement)
        self._asked.append(label)
        if label is not None:
            self._boundaries.begun[label] += 1


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    target = conninfo_to_dict(url)
    host, port = str(target.get("host") or "localhost"), int(target.get("port") or 5432)
    if host.startswith("/"):
        return await asyncio.open_unix_connection(os.path.join(host, f".s.PGSQL.{port}"))  # noqa: PTH118 - no path of a file
    return await asyncio.open_connection(host, port)


async def _ask(reader: asyncio.StreamReader, upstream: asyncio.StreamWriter, conversation: _Conversation) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:  # messages without a type until the startup message is through
            head = await reader.readexactly(8)
            length, code = struct.unpack("!ii", head)
            upstream.write(head + await reader.readexactly(length - 8))
            if code not in _STARTUP:
                break
        while True:
            message = await _message(reader)
            conversation.ask(message[:1], message[5:])
            upstream.write(message)
            await upstream.drain()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, conversation: _Conversation) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while True:
            message = await _message(reader)
            conversation.answer(message[:1], message[5:])
            writer.write(message)
            await writer.drain()


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
