"""Hearing what is announced: one LISTEN connection a process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from athenaeum.database.link import FAULTS, Backoff

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from athenaeum.database.wire import Wire

log = structlog.get_logger(__name__)

Hear = Callable[[str | None], None]
"""Called with the payload of an announcement, or with None when some may have been missed."""


class Subscriptions:
    """Hears all channels that somebody in the process subscribes to, and comes back after every loss.

    The connection is open while there are subscribers. May be closed twice; a later `subscribe` opens it anew.
    """

    def __init__(self, connect: Callable[[], Awaitable[Wire]]) -> None:
        """`connect` opens a connection in autocommit; nothing is opened yet."""
        self.deaf = asyncio.Event()
        """Set where a pooler stands between, through which no announcement comes: subscribers look by themselves."""
        self._connect = connect
        self._ears: dict[str, list[Hear]] = {}
        self._stirred = asyncio.Event()
        self._lost: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def subscribe(self, channel: str, hear: Hear) -> AsyncGenerator[None]:
        """Call `hear` for what is announced on `channel`, for the time of the block.

        Announcements before that may be missed, and so may those while a connection is lost: `hear` is called with
        None when listening has begun, and after each loss.
        """
        ears = self._ears.setdefault(channel, [])
        ears.append(hear)
        self._stirred.set()
        if self._task is None:
            # The root of the listener: its subscribers come and go, each in a task of its own.
            self._task = asyncio.create_task(self._listen(), name="listener")
        try:
            yield
        finally:
            ears.remove(hear)
            if not any(self._ears.values()):
                await self.close()

    async def close(self) -> None:
        """Hear nothing more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _listen(self) -> None:
        backoff = Backoff()
        while not self.deaf.is_set():
            try:
                async with await self._connect() as connection:
                    if connection.pooled:
                        log.warning("subscriptions.deaf", reason="a pooler stands between")
                        self.deaf.set()
                        break
                    await self._follow(connection, backoff)
            except FAULTS as error:
                log.warning("subscriptions.lost", error=type(error).__name__)
                await asyncio.sleep(backoff.next().total_seconds())

    async def _follow(self, connection: Wire, backoff: Backoff) -> None:
        # Reads the socket itself: connection.notifies() wakes ten times a second to look whether it may go on.
        loop = asyncio.get_running_loop()
        socket = connection.fileno()
        listened: frozenset[str] = frozenset()
        self._lost = None
        while True:
            self._stirred.clear()
            if channels := self._ears.keys() - listened:
                listened |= channels
                await connection.execute("; ".join(f"LISTEN {channel}" for channel in sorted(listened)).encode())
                self._tell_of_a_gap()
                backoff.reset()
            loop.add_reader(socket, self._read, connection)
            try:
                self._read(connection)  # what arrived together with the reply to LISTEN
                await self._stirred.wait()
            finally:
                loop.remove_reader(socket)
            if self._lost is not None:
                raise self._lost

    def _tell_of_a_gap(self) -> None:
        for ears in self._ears.values():
            for hear in ears:
                hear(None)

    def _read(self, connection: Wire) -> None:
        try:
            connection.pgconn.consume_input()
        except FAULTS as error:
            self._lost = error
            self._stirred.set()
            return
        while notice := connection.pgconn.notifies():
            for hear in self._ears.get(notice.relname.decode(), ()):
                hear(notice.extra.decode())
