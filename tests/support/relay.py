"""A TCP port that leads to a server, and can be cut: at a statement, or at any packet in any manner."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from urllib.parse import parse_qs, urlsplit

_RESET = struct.pack("ii", 1, 0)


class Manner(StrEnum):
    """What becomes of a connection at a packet, which is not delivered."""

    CUT = "cut"
    """Both ends are told."""
    SERVER_UNTOLD = "server untold"
    """The client is told; the server waits on, with all that it has locked."""
    CLIENT_UNTOLD = "client untold"
    """The server is told; to the client all seems well, but nothing comes."""
    BLACK_HOLE = "black hole"
    """Neither is told, and nothing comes through."""


@dataclass(slots=True)
class Fault:
    """Strikes the connection of the packet with this number, of those in both directions that come once it is set."""

    packet: int
    manner: Manner
    seen: int = 0
    struck: asyncio.Event = field(default_factory=asyncio.Event)

    def strikes(self) -> bool:
        """Count a packet; whether it is the one."""
        self.seen += 1
        return self.seen == self.packet


class Relay:
    """Forwards connections to PostgreSQL or another server; an async context manager.

    Attributes:
        url: The server's address through the relay.
        fault: What befalls one connection.
    """

    def __init__(self, url: str, *, port: int = 0, fatal: str | None = None) -> None:
        """A statement with the words `fatal` cuts its connection, and none is taken from then on."""
        self._parts = urlsplit(url)
        options = {name: values[0] for name, values in parse_qs(self._parts.query).items()}
        self._host = options.get("host", self._parts.hostname or "localhost")
        self._inner_port = options.get("port") or self._parts.port or 5432
        self._port = port
        self._fatal = fatal.encode() if fatal else None
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.fault: Fault | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        port = self._server.sockets[0].getsockname()[1]
        credentials = self._parts.netloc.rpartition("@")[0]
        netloc = f"{credentials}@127.0.0.1:{port}" if credentials else f"127.0.0.1:{port}"
        self.url = self._parts._replace(netloc=netloc, query="").geturl()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def cut(self) -> None:
        """End every connection, and take no other."""
        if self._server is not None:
            self._server.close()
        for line in self._lines:
            line.end()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        line = _Line(reader, writer, *await self._connect(), watch=self._watch)
        self._lines.add(line)
        try:
            await line.carry()
        finally:
            self._lines.discard(line)
            self._serving.discard(task)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._inner_port}")
        return await asyncio.open_connection(self._host, int(self._inner_port))

    def _watch(self, line: _Line, packet: bytes, *, asked: bool) -> bool:
        """Whether the packet is to be delivered."""
        if asked and self._fatal is not None and self._fatal in packet:
            self.cut()
            return False
        if self.fault is not None and self.fault.strikes():
            line.strike(self.fault.manner)
            self.fault.struck.set()
            return False
        return True


class _Line:
    """One connection, through the relay."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        inner_reader: asyncio.StreamReader,
        inner_writer: asyncio.StreamWriter,
        *,
        watch: Callable[..., bool],
    ) -> None:
        self._client, self._server, self._watch = writer, inner_writer, watch
        self._dead = False
        self._over = asyncio.Event()
        self._pipes = (
            asyncio.create_task(self._pipe(reader, inner_writer, asked=True)),
            asyncio.create_task(self._pipe(inner_reader, writer, asked=False)),
        )

    async def carry(self) -> None:
        """Carry packets until the line is ended, or one end hangs up and the other is told."""
        try:
            await self._over.wait()
        finally:
            for pipe in self._pipes:
                pipe.cancel()
            await asyncio.gather(*self._pipes, return_exceptions=True)
            for end in (self._client, self._server):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    def end(self) -> None:
        self._over.set()

    def strike(self, manner: Manner) -> None:
        """Let nothing through any more, and tell whom the manner tells."""
        self._dead = True
        if manner in {Manner.CUT, Manner.SERVER_UNTOLD}:
            _reset(self._client)
        if manner in {Manner.CUT, Manner.CLIENT_UNTOLD}:
            _reset(self._server)
        if manner is Manner.CUT:
            self.end()

    async def _pipe(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, asked: bool) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if self._dead:
                    continue
                if self._watch(self, data, asked=asked):
                    target.write(data)
                    await target.drain()
        if not self._dead:
            self.end()


def _reset(writer: asyncio.StreamWriter) -> None:
    inner: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):
        inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
