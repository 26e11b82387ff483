"""The hot statements: what claims and finishes events, each one round trip and one transaction.

For a psycopg connection in autocommit, as the engine's role. The functions they call are made by the
migration of the queue. `True`, or an id given back, means that the token was the newest and the change was made.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from athenaeum.domain.event import Event
from athenaeum.domain.identity import EventId, LeaseToken, TenantId

if TYPE_CHECKING:
    from datetime import timedelta

    from athenaeum.events.link import Link

CLAIM = (
    "SELECT event_id, tenant_id, kind, payload, lease_token, attempt, created_at"
    " FROM events_claim(%s, %s::integer, %s::interval, %s::text[], %s::uuid[])"
)
COMPLETE = "SELECT events_complete(%s::bigint[], %s::bigint[])"
COMPLETE_ONE = "SELECT events_complete_one(%s::bigint, %s::bigint)"
RETRY = "SELECT events_retry(%s::bigint, %s::bigint, %s, %s::interval)"
FAIL = "SELECT events_fail(%s::bigint, %s::bigint, %s)"
RELEASE = "SELECT events_release(%s::bigint[], %s::bigint[])"
RELEASE_UNKNOWN = "SELECT events_release_unknown(%s, %s::bigint[])"
EXTEND = "SELECT events_extend(%s::bigint[], %s::bigint[], %s::interval)"
# A claim that a crash of the server forgets never began: it need not wait for the disk.
HURRY = "SET synchronous_commit = off"


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
) -> list[Event]:
    """Up to `limit` due events, by priority and age; of `kinds` and `tenants` only, where given."""
    of = [None if wanted is None else list(wanted) for wanted in (kinds, tenants)]
    return [claimed(row) for row in await link.fetch(CLAIM, (worker, limit, lease, *of))]


async def complete(link: Link, events: Sequence[Event]) -> frozenset[EventId]:
    """Finish events together; those whose key somebody enqueues to just now are waited for one by one."""
    done = set(await _ids(link, COMPLETE, events))
    for event in events:
        if event.id not in done:
            [[held]] = await link.fetch(COMPLETE_ONE, (event.id, event.token))
            if held:
                done.add(event.id)
    return frozenset(done)


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
    return frozenset(await _ids(link, RELEASE, events))


async def release_unknown(link: Link, worker: str, known: Sequence[EventId]) -> None:
    """Hand back what the worker claimed without hearing of it: all but the `known`, after a claim was cut off."""
    await link.fetch(RELEASE_UNKNOWN, (worker, list(known)))


async def extend(link: Link, events: Sequence[Event], *, lease: timedelta) -> frozenset[EventId]:
    """Extend leases; the ids of those that are still held."""
    return frozenset(await _ids(link, EXTEND, events, lease))


async def _ids(link: Link, statement: str, events: Sequence[Event], *more: object) -> list[EventId]:
    parameters = ([event.id for event in events], [event.token for event in events], *more)
    [[ids]] = await link.fetch(statement, parameters)
    return ids
