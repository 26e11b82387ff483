"""What a broker is to be told of: the ids of runnable events, each until somebody has claimed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from athenaeum.domain.identity import EventId

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta

    from athenaeum.database.link import Link
    from athenaeum.domain.identity import TenantId

SEND = "SELECT ids, room FROM events_send(%s::integer, %s::interval, %s::uuid[])"


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be told now; `full` when more waits for the claims of what was told before."""

    ids: tuple[EventId, ...]
    full: bool


async def send(link: Link, *, bound: int, patience: timedelta, tenants: Collection[TenantId] | None = None) -> Batch:
    """Runnable events, noted as told, so many that at most `bound` are told and unclaimed.

    One that is not claimed within `patience` counts as lost and is given again, at growing intervals. Several callers
    share the events out.
    """
    wanted = None if tenants is None else list(tenants)
    [[ids, room]] = await link.fetch(SEND, (bound, patience, wanted))
    return Batch(tuple(EventId(event) for event in ids), full=room == 0)
