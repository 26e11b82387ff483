"""The leases that a process holds, and the heartbeat that keeps them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Never

import structlog

from athenaeum.database.link import FAULTS, Backoff
from athenaeum.events import queue
from athenaeum.observability import metrics

if TYPE_CHECKING:
    from athenaeum.database.link import Link
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import EventId

log = structlog.get_logger(__name__)

_BEATS = 4
"""Heartbeats within a lease: three may be lost."""


@dataclass(slots=True)
class Lease:
    """A claim from the moment it was made until its outcome is in the database."""

    event: Event
    handler: asyncio.Task[None] | None = None
    revoked: bool = False
    """The handler was told to stop: it lost the event, or hands it back."""
    ended: bool = False
    """The attempt has an outcome, which is written or will be."""

    def revoke(self) -> None:
        """Stop the handler, if it still runs."""
        self.revoked = True
        if self.handler is not None:
            self.handler.cancel()


@dataclass(slots=True)
class Leases:
    """All leases of one process, extended together by one statement on a connection of its own.

    The database's clock alone decides when a lease ends. While the database is away nobody can take an event
    over, so handlers go on, and the first heartbeat afterwards tells which events are still theirs.
    """

    link: Link
    length: timedelta
    held: dict[EventId, Lease] = field(default_factory=dict)
    lost: int = 0
    _awaited: dict[EventId, asyncio.Event] = field(default_factory=dict["EventId", asyncio.Event])

    def add(self, event: Event) -> Lease:
        """Hold a claim from now on."""
        lease = self.held[event.id] = Lease(event)
        return lease

    def drop(self, event: Event) -> None:
        """Hold a claim no longer; harmless when a newer claim of the same event is held."""
        lease = self.held.get(event.id)
        if lease is not None and lease.event.token == event.token:
            del self.held[event.id]
            if event.id in self._awaited:
                self._awaited.pop(event.id).set()

    async def dropped(self, event: EventId) -> None:
        """Return when no claim of the event is held."""
        if event in self.held:
            await self._awaited.setdefault(event, asyncio.Event()).wait()

    def lose(self, event: Event) -> None:
        """Somebody else owns the event: stop its handler."""
        self.lost += 1
        metrics.LEASES_LOST.labels(event.kind, str(event.tenant)).inc()
        log.warning("event.lease_lost", event_id=event.id, kind=event.kind, attempt=event.attempt)
        lease = self.held.get(event.id)
        self.drop(event)
        if lease is not None and lease.event.token == event.token:
            lease.revoke()

    async def keep(self) -> Never:
        """Extend the leases several times within their length, until cancelled."""
        backoff = Backoff()
        wait = self.length / _BEATS
        while True:
            await asyncio.sleep(wait.total_seconds())
            try:
                await self.beat()
                backoff.reset()
                wait = self.length / _BEATS
            except FAULTS as error:
                wait = min(backoff.next(), self.length / _BEATS)
                log.warning("heartbeat.failed", error=type(error).__name__, held=len(self.held))

    async def beat(self) -> None:
        """One heartbeat: extend every lease, stop the handlers of those that are lost."""
        asked = [lease.event for lease in self.held.values()]
        if not asked:
            return
        kept = await queue.extend(self.link, asked, lease=self.length)
        for event in asked:
            lease = self.held.get(event.id)
            # The outcome of an attempt that has ended meanwhile may be written already: it tells what was lost.
            if event.id not in kept and lease is not None and lease.event is event and not lease.ended:
                self.lose(event)
