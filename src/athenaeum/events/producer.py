"""Putting events into the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import text

from athenaeum.domain.identity import EventId

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.event import NewEvent

_ENQUEUE = text(
    "SELECT events_enqueue(:tenant, :kind, CAST(:payload AS jsonb), :dedupe_key, :ordering_key, :priority, :delay)"
)


async def enqueue(session: AsyncSession, event: NewEvent) -> EventId | None:
    """Enqueue within the session's transaction: work and event are committed together or not at all.

    Listening workers wake when it commits. A transaction that enqueues under several keys should do so in one
    fixed order, or PostgreSQL may have to break a deadlock between two of them.

    Returns:
        The event's id, or None when its dedupe key is known already.
    """
    found = await session.execute(
        _ENQUEUE,
        {
            "tenant": event.tenant,
            "kind": event.kind,
            "payload": json.dumps(dict(event.payload)),
            "dedupe_key": event.dedupe_key,
            "ordering_key": event.ordering_key,
            "priority": event.priority,
            "delay": event.delay,
        },
    )
    event_id: int | None = found.scalar_one()
    return None if event_id is None else EventId(event_id)
