"""What can befall a PostgreSQL server, from an operator's restart to the death of one of its processes."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import psycopg

from athenaeum.database.embedded import EmbeddedPostgres
from support.embedded import postmaster_of, until

_BACK_SECONDS = 60


class Outage:
    """One embedded server, which is brought down in many ways and always comes back."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._one_at_a_time = asyncio.Lock()

    async def restart(self) -> None:
        """A fast stop, as at an upgrade: sessions end at once, what they had begun is undone."""
        await self._fell(signal.SIGINT)

    async def crash(self) -> None:
        """The postmaster and its children die at once, and recovery follows."""
        await self._fell(signal.SIGQUIT)

    async def kill_backend(self, choice: float) -> None:
        """Kill one session's process: the postmaster then resets all of them."""
        await self._kill("client backend", choice)

    async def kill_child(self, choice: float) -> None:
        """Kill one of the processes that write, which does the same."""
        await self._kill(("checkpointer", "walwriter", "background writer")[int(choice * 3)], choice)

    async def cut(self) -> None:
        """End every session of the product, in whatever it is doing."""
        with suppress(psycopg.OperationalError):
            async with await psycopg.AsyncConnection.connect(self._server.superuser_url, autocommit=True) as admin:
                await admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'athenaeum'"
                )

    async def _fell(self, number: signal.Signals) -> None:
        async with self._one_at_a_time:
            pid = postmaster_of(self._server.data_dir)
            os.kill(pid, number)
            await until(lambda: not Path(f"/proc/{pid}").exists(), seconds=_BACK_SECONDS)
            await self._server.ensure()

    async def _kill(self, kind: str, choice: float) -> None:
        async with self._one_at_a_time:
            with suppress(psycopg.OperationalError, ProcessLookupError):
                async with await psycopg.AsyncConnection.connect(self._server.superuser_url, autocommit=True) as admin:
                    found = await admin.execute(
                        "SELECT pid FROM pg_stat_activity WHERE backend_type = %s AND pid <> pg_backend_pid()", [kind]
                    )
                    pids = [pid for (pid,) in await found.fetchall()]
                    if pids:
                        os.kill(pids[int(choice * len(pids))], signal.SIGKILL)
            await self._server.ensure()
