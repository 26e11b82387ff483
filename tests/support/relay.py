"""A TCP port that leads to the database's socket, and can be cut."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import parse_qs, urlsplit


class Relay:
    """Forwards connections to PostgreSQL; an async context manager.

    Attributes:
        url: The database's address through the relay.
        fatal: A statement with these words cuts its connection, and none is taken from then on.
    """

    def __init__(self, database_url: str, *, port: int = 0, fatal: str | None = None) -> None:
        parts = urlsplit(database_url)
        options = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self._host, self._inner_port = options.get("host", parts.hostname or "localhost"), options.get("port", "5432")
        self._credentials, self._database, self._port = parts.netloc.rpartition("@")[0], parts.path, port
        self._fatal = fatal.encode() if fatal else None
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.Task[None]] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"postgresql://{self._credentials}@127.0.0.1:{port}{self._database}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    def cut(self) -> None:
        """End every connection, and take no other."""
        if self._server is not None:
            self._server.close()
        for pipe in self._pipes:
            pipe.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await self._connect()
        there = asyncio.create_task(self._pipe(reader, inner_writer, watched=True))
        back = asyncio.create_task(self._pipe(inner_reader, writer, watched=False))
        self._pipes |= {there, back}
        await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        for each in (writer, inner_writer):
            each.close()
            with suppress(OSError):
                await each.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._inner_port}")
        return await asyncio.open_connection(self._host, int(self._inner_port))

    async def _pipe(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, watched: bool) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if watched and self._fatal is not None and self._fatal in data:
                    self.cut()
                    return
                target.write(data)
                await target.drain()
