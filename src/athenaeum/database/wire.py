"""One connection to PostgreSQL: never waited for without an end, and aware of what stands between."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import psycopg

if TYPE_CHECKING:
    from psycopg.abc import RV, PQGen

PATIENCE = timedelta(seconds=30)
"""More than any statement of ours takes, and than a frozen process holds a lock."""
_TICK = 0.1  # seconds between looks whether to go on waiting; psycopg's own default


class Wire(psycopg.AsyncConnection[tuple[Any, ...]]):
    """A connection without state of its own: nothing that is set on it, a role for instance, outlives a transaction.

    For between us and the server there may be a pooler such as PgBouncer in transaction mode, which gives each
    transaction any server connection of several. It is seen by one thing: the process that greeted us is not the
    one that works for us. Then nothing is prepared, and LISTEN would hear nothing. A pooler in session mode looks
    the same, and is treated the same.
    """

    pooled: bool = False
    """Whether a pooler stands between."""
    patience: timedelta = PATIENCE
    """The time after which an answer that has not come counts as a loss of the connection.

    TCP alone never notices a peer that takes everything and says nothing.
    """

    @classmethod
    async def open(
        cls, conninfo: str = "", *, autocommit: bool = False, patience: timedelta = PATIENCE, **settings: Any
    ) -> Self:
        """Open a connection, and look whether a pooler has taken the call."""
        wire = await cls.connect(conninfo, autocommit=True, **settings)
        try:
            wire.patience = patience
            row = await (await wire.execute("SELECT pg_backend_pid()")).fetchone()
            if row != (wire.info.backend_pid,):
                wire.pooled = True
                wire.prepare_threshold = None
            await wire.set_autocommit(autocommit)
        except BaseException:
            await wire.close()
            raise
        return wire

    async def wait(self, gen: PQGen[RV], interval: float = _TICK, timeout: float | None = None) -> RV:  # noqa: ASYNC109 - psycopg's
        """Wait for an answer; without a `timeout`, which is for notifications, as long as patience lasts.

        Cancelling the call instead asks the server to cancel, and waits for that: 18 s were measured where the
        network swallowed everything.
        """
        if timeout is not None:
            return await super().wait(gen, interval, timeout)
        timer = asyncio.get_running_loop().call_later(self.patience.total_seconds(), self._cut)
        try:
            return await super().wait(gen, interval)
        finally:
            timer.cancel()

    def _cut(self) -> None:
        with socket.socket(fileno=os.dup(self.fileno())) as shared, suppress(OSError):  # gone already
            shared.shutdown(socket.SHUT_RDWR)
