"""From the queue to the broker: a transactional outbox whose messages may be lost without harm.

See "Transactional outbox" in Richardson, Microservices Patterns (2018), section 3.3.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

import structlog

from athenaeum.database.link import FAULTS, Backoff, Link
from athenaeum.events import outbox
from athenaeum.events.wakeup import Bell, listen
from athenaeum.observability import metrics
from athenaeum.worker import rescue
from athenaeum.worker.celery.app import BROKER_FAULTS, publish

if TYPE_CHECKING:
    from collections.abc import Collection

    from celery import Celery

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import EventId, TenantId

log = structlog.get_logger(__name__)

_BOUND = 64
"""Messages that nobody has claimed yet: enough for workers not to wait, few enough that a newcomer is soon served."""
_PATIENCE = timedelta(seconds=15)
"""A message that nobody has claimed by then counts as lost."""
_POLL = timedelta(seconds=5)
_SOON = timedelta(milliseconds=50)
_SOONER_OR_LATER = timedelta(seconds=1)
"""Claims announce nothing: while the bound is reached, the next look is between these two."""


class Relay:
    """Tells the broker of events as they become runnable; any number of relays share them out.

    While the broker is away they stay where they are, in PostgreSQL, and are told of when it is back.
    """

    def __init__(
        self,
        database: DatabaseConnection,
        app: Celery,
        *,
        max_retries: int,
        tenants: Collection[TenantId] | None = None,
        bound: int = _BOUND,
        patience: timedelta = _PATIENCE,
    ) -> None:
        """Nothing is opened yet.

        Args:
            database: Where the queue is.
            app: Whose broker is told.
            max_retries: Attempts after the first one; a relay also rescues events of workers that died.
            tenants: Tell of events of these tenants only; may grow later.
            bound: How many events may be told and unclaimed.
            patience: After how long an unclaimed event is told again.
        """
        self._database = database
        self._app = app
        self._max_retries = max_retries
        self._tenants = tenants
        self._bound = bound
        self._patience = patience
        self._bell = Bell()
        self._away = False

    async def run(self) -> NoReturn:
        """Tell until cancelled; a database that is away is waited for."""
        try:
            async with Link(self._database) as link, asyncio.TaskGroup() as group:
                group.create_task(listen(self._database, self._bell, _ignore))
                group.create_task(rescue.watch(self._database, max_retries=self._max_retries))
                await self._tell_all(link)
        finally:
            self._bell.silence()

    @property
    def broker_answers(self) -> bool:
        """Whether the last message went out."""
        return not self._away

    async def _tell_all(self, link: Link) -> NoReturn:
        backoff = Backoff()
        look = _SOON
        while True:
            try:
                batch = await outbox.send(link, bound=self._bound, patience=self._patience, tenants=self._tenants)
                backoff.reset()
            except FAULTS as error:
                log.warning("relay.failed", error=type(error).__name__)
                await asyncio.sleep(backoff.next().total_seconds())
                continue
            if batch.ids:
                await self._tell(batch.ids)
            look = min(look * 2, _SOONER_OR_LATER) if batch.full and not batch.ids else _SOON
            await self._bell.wait(look if batch.full else _POLL)

    async def _tell(self, ids: tuple[EventId, ...]) -> None:
        backoff = Backoff()
        while True:
            try:
                await asyncio.to_thread(publish, self._app, ids)
            except BROKER_FAULTS as error:
                metrics.BROKER_FAILURES.inc()
                if not self._away:
                    log.warning("broker.away", error=type(error).__name__)
                self._away = True
                await asyncio.sleep(backoff.next().total_seconds())
                continue
            if self._away:
                log.info("broker.back")
            self._away = False
            metrics.EVENTS_SENT.inc(len(ids))
            return


def _ignore(_event: EventId) -> None:
    """A cancelled event concerns who runs it; its message finds nothing to claim."""
