"""The hot statements: what claims and finishes events, each one round trip and one transaction.

They need no state of the connection: the functions that they call act as the engine's role, whoever calls them. They
are made by the migration of the queue. `True`, or an id given back, means that the token was the newest and the change
was made.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from athenaeum.domain.event import Event
from athenaeum.domain.identity import EventId, LeaseToken, TenantId

if TYPE_CHECKING:
    from athenaeum.database.link import Link

# A claim that a crash of the server forgets never began: it need not wait for the disk.
CLAIM = (
    "SELECT event_id, tenant_id, kind, payload, lease_token, attempt, created_at"
    " FROM set_config('synchronous_commit', 'off', true),"
    " events_claim(%s, %s::integer, %s::interval, %s::text[], %s::uuid[], %s::uuid, %s::text)"
)
CLAIM_ONE = (
    "SELECT event_id, tenant_id, kind, payload, lease_token, attempt, created_at"
    " FROM set_config('synchronous_commit', 'off', true), events_claim_one(%s, %s::bigint, %s::interval)"
)
COMPLETE = "SELECT done, next_at - clock_timestamp() FROM events_complete(%s::bigint[], %s::bigint[])"
COMPLETE_ONE = "SELECT events_complete_one(%s::bigint, %s::bigint)"
RETRY = "SELECT events_retry(%s::bigint, %s::bigint, %s, %s::interval)"
FAIL = "SELECT events_fail(%s::bigint, %s::bigint, %s)"
RELEASE = "SELECT events_release(%s::bigint[], %s::bigint[])"
RELEASE_UNKNOWN = "SELECT events_release_unknown(%s, %s::bigint[])"
EXTEND = "SELECT events_extend(%s::bigint[], %s::bigint[], %s::interval)"

_BEFORE_ALL = (UUID(int=0), "")


@dataclass(frozen=True, slots=True)
class Completion:
    """What became of events that were completed together."""

    done: frozenset[EventId]
    next_in: timedelta | None
    """When the next event of one of their ordering keys is due, which the caller should announce; None: none waits."""


def claimed(row: Sequence[Any]) -> Event:
    """The event in a row of `CLAIM`."""
    event_id, tenant, kind, payload, token, attempt, created_at = row
    return Event(
        id=EventId(event_id),
        tenant=TenantId(tenant),
        kind=kind,
        payload=payload,
        token=LeaseToken(token),
        attempt=attempt,
        created_at=created_at,
    )


async def claim(
    link: Link,
    worker: str,
    *,
    limit: int,
    lease: timedelta,
    kinds: Collection[str] | None = None,
    tenants: Collection[TenantId] | None = None,
    after: Event | None = None,
) -> list[Event]:
    """Up to `limit` due events, of `kinds` and `tenants` only, where given.

    By priority, then in equal shares to tenants, to kinds within a tenant, and to fair keys within a kind, then by
    age. `after` is the last event that was claimed before: those who come behind it are served first.
    """
    of = [None if wanted is None else list(wanted) for wanted in (kinds, tenants)]
    behind = _BEFORE_ALL if after is None else (after.tenant, after.kind)
    return [claimed(row) for row in await link.fetch(CLAIM, (worker, limit, lease, *of, *behind))]


async def claim_one(link: Link, worker: str, event: EventId, *, lease: timedelta) -> Event | None:
    """This very event; None when it is not due, waits behind another, is claimed, finished or at a limit."""
    rows = await link.fetch(CLAIM_ONE, (worker, event, lease))
    return claimed(rows[0]) if rows else None


async def complete(link: Link, events: Sequence[Event]) -> Completion:
    """Finish events together; those whose key somebody enqueues to just now are waited for one by one."""
    [[ids, next_in]] = await link.fetch(COMPLETE, _held(events))
    done = set(ids)
    for event in events:
        if event.id not in done:
            [[held]] = await link.fetch(COMPLETE_ONE, (event.id, event.token))
            if held:
                done.add(event.id)
    return Completion(frozenset(done), next_in)


async def retry(link: Link, event: Event, error: str, *, after: timedelta) -> bool:
    """Put an event back for another attempt no sooner than `after`."""
    [[held]] = await link.fetch(RETRY, (event.id, event.token, error, after))
    return held


async def fail(link: Link, event: Event, error: str) -> bool:
    """End an event for good, keeping it with its error."""
    [[held]] = await link.fetch(FAIL, (event.id, event.token, error))
    return held


async def release(link: Link, events: Sequence[Event]) -> frozenset[EventId]:
    """Hand events back untried: another worker may have them at once."""
    [[released]] = await link.fetch(RELEASE, _held(events))
    return frozenset(released)


async def release_unknown(link: Link, worker: str, known: Sequence[EventId]) -> None:
    """Hand back what the worker claimed without hearing of it: all but the `known`, after a claim was cut off."""
    await link.fetch(RELEASE_UNKNOWN, (worker, list(known)))


async def extend(link: Link, events: Sequence[Event], *, lease: timedelta) -> frozenset[EventId]:
    """Extend leases; the ids of those that are still held."""
    [[extended]] = await link.fetch(EXTEND, (*_held(events), lease))
    return frozenset(extended)


def _held(events: Sequence[Event]) -> tuple[list[EventId], list[LeaseToken]]:
    return [event.id for event in events], [event.token for event in events]
