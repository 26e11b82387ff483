"""The entrance: one PostgreSQL per home, there while anybody uses it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from athenaeum.database.embedded import binaries, cluster, postmaster
from athenaeum.database.embedded.deadline import Deadline
from athenaeum.database.embedded.fault import explained
from athenaeum.database.embedded.lock import FileLock, alone
from athenaeum.database.embedded.place import Premises, settle

log = structlog.get_logger(__name__)

_PATIENCE = timedelta(seconds=60)  # crash recovery after a long run takes tens of seconds


class EmbeddedPostgres:
    """A use of the home's PostgreSQL, which is created and started when it is not there.

    Any number of processes may use one home, and each may enter as often as it likes. The server stops with
    its last user; one that was killed no longer counts.
    """

    def __init__(self, home: Path) -> None:
        """`home` is created when missing; nothing else happens before entering."""
        self._home = home
        self._place: Premises | None = None
        self._uses: list[FileLock] = []

    @property
    def url(self) -> str:
        """The libpq URL of the database athenaeum, for the role of that name: its owner, not a superuser.

        The password in it makes it a secret. With the driver's prefix it is SQLAlchemy's URL as well.
        """
        return cluster.url(self._entered)

    @property
    def superuser_url(self) -> str:
        """The same database for the role postgres: for extensions and measurements, never for the application."""
        return cluster.url(self._entered, superuser=True)

    @property
    def data_dir(self) -> Path:
        """PostgreSQL's data directory."""
        return self._entered.data

    @property
    def log_path(self) -> Path:
        """The file the server itself logs to."""
        return self._entered.log

    async def __aenter__(self) -> Self:
        """Start or join the server.

        Raises:
            Misconfigured: It cannot run here; the message names the mend.
        """
        joined: list[FileLock] = []
        try:
            await _in_thread(partial(self._join, joined))
        except asyncio.CancelledError:
            for use in joined:
                await _in_thread(partial(self._leave, use))
            raise
        self._uses += joined
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End one use; the last one of all processes stops the server."""
        if self._uses:
            await _in_thread(partial(self._leave, self._uses.pop()))

    async def ensure(self) -> None:
        """Bring the server back if it has died; costs one connection (about 8 ms) when it has not.

        For whoever watches the database in a running process, when a new connection is refused. Any number of
        processes may call it at once: one starts the server, the others wait for it.

        Raises:
            Misconfigured: It cannot be brought back.
        """
        await _in_thread(self._revive)

    @property
    def _entered(self) -> Premises:
        if self._place is None:
            raise RuntimeError("the embedded PostgreSQL is used outside its async with")
        return self._place

    def _join(self, joined: list[FileLock], abandoned: threading.Event) -> None:
        deadline = Deadline(_PATIENCE, abandoned)
        with explained(self._home):
            place = settle(self._home)
            with alone(place.boot_lock, place.owner, deadline) as boot:
                use = FileLock(place.users_lock, place.owner)
                use.share()  # only holders of the boot lock hold it alone
                try:
                    _bring_up(place, boot, deadline)
                except BaseException:
                    _end(place, use)
                    raise
                self._place = place
                joined.append(use)

    def _leave(self, use: FileLock, _abandoned: threading.Event) -> None:
        place = self._entered
        try:
            with alone(place.boot_lock, place.owner, Deadline(_PATIENCE)):  # also for a caller that has gone
                _end(place, use)
        except TimeoutError:
            log.warning("embedded.boot_lock_busy", place=str(place.root))
        finally:
            use.close()

    def _revive(self, abandoned: threading.Event) -> None:
        place = self._entered
        with explained(self._home):
            if postmaster.answers(place):
                return
            deadline = Deadline(_PATIENCE, abandoned)
            with alone(place.boot_lock, place.owner, deadline) as boot:
                _bring_up(place, boot, deadline)


def _bring_up(place: Premises, boot: FileLock, deadline: Deadline) -> None:
    major = cluster.version(place)
    if major and place.password.exists() and postmaster.answers(place):
        return
    programs = binaries.find(place.owner, major=major)
    if major is None:
        cluster.create(place, programs, boot)
    postmaster.start(place, programs, deadline)
    cluster.bootstrap(place, programs)


def _end(place: Premises, use: FileLock) -> None:
    """End one use, and with the last one the server. The caller has the boot lock."""
    try:
        if use.seize():
            postmaster.stop(place, Deadline(_PATIENCE))
    except TimeoutError:
        log.warning("embedded.stop_slow", place=str(place.root), log=str(place.log))
    finally:
        use.close()


async def _in_thread(step: Callable[[threading.Event], None]) -> None:
    """Run a step in a thread; when cancelled, make it stop soon and wait for that, so that it leaves no locks."""
    abandoned = threading.Event()
    running = asyncio.ensure_future(asyncio.to_thread(step, abandoned))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        abandoned.set()
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # seen, and of no interest to a cancelled caller
        raise
