"""Periodic work: a schedule enqueues an event at each of its moments.

Whichever worker notices first enqueues it, by the database's clock. Workers look every three seconds or so, so that an
event is 3.6 s late at most where one process runs, and hardly ever more than 1 s where ten do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from athenaeum.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TenantId

_SHORTEST = timedelta(seconds=1)
_SET = text("""
    INSERT INTO event_schedules AS s (tenant_id, name, kind, payload, priority, every, next_at)
    VALUES (:tenant, :name, :kind, CAST(:payload AS jsonb), :priority, :every,
            coalesce(CAST(:first AS timestamptz), clock_timestamp() + :every))
    ON CONFLICT (tenant_id, name) DO UPDATE
    SET kind = excluded.kind, payload = excluded.payload, priority = excluded.priority, every = excluded.every,
        next_at = CASE WHEN CAST(:first AS timestamptz) IS NULL AND s.every = excluded.every THEN s.next_at
                       ELSE excluded.next_at END""")
_REMOVE = text("DELETE FROM event_schedules WHERE tenant_id = :tenant AND name = :name RETURNING name")
_LIST = text("""
    SELECT name, kind, payload, tenant_id AS tenant, every, priority, next_at FROM event_schedules
    ORDER BY tenant_id, name""")
_TICK = text("SELECT events_tick()")


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is enqueued, and how often. Names are a tenant's own; events of one schedule run one after the other."""

    name: str
    kind: str
    payload: Mapping[str, Any]
    tenant: TenantId
    every: timedelta
    """A second at least."""
    priority: int = 0
    next_at: datetime | None = None
    """The next moment; None, before it is in the database, for one period from then on."""


async def schedule(session: AsyncSession, wanted: Schedule) -> None:
    """Have its events enqueued from now on; one of the same name and tenant is replaced.

    Setting the same one again, as a program does that starts again, does not move its next moment. Moments that pass
    while no worker runs, or while the event of an earlier one still waits, count as one.

    Raises:
        Refused: `every` is shorter than a second.
    """
    if wanted.every < _SHORTEST:
        raise Refused(f"a schedule's period is a second at least, not {wanted.every.total_seconds():g} s")
    values = {
        "tenant": wanted.tenant,
        "name": wanted.name,
        "kind": wanted.kind,
        "payload": json.dumps(dict(wanted.payload)),
        "priority": wanted.priority,
        "every": wanted.every,
        "first": wanted.next_at,
    }
    await session.execute(_SET, values)


async def unschedule(session: AsyncSession, tenant: TenantId, name: str) -> bool:
    """Enqueue no more of its events; those that wait stay. False when there is no such schedule."""
    return (await session.execute(_REMOVE, {"tenant": tenant, "name": name})).one_or_none() is not None


async def list_schedules(session: AsyncSession) -> list[Schedule]:
    """The schedules that the session sees."""
    return [Schedule(**row._mapping) for row in await session.execute(_LIST)]  # noqa: SLF001 - SQLAlchemy's public name


async def tick(session: AsyncSession) -> int:
    """Enqueue what is due, in a session without a tenant; how many events."""
    return (await session.execute(_TICK)).scalar_one()
