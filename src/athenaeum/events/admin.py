"""What an operator sees of the queue, and does to it.

All functions take a session; one without a tenant sees every tenant's events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import text

from athenaeum.domain.event import EventStatus
from athenaeum.domain.identity import EventId, LeaseToken, TenantId
from athenaeum.errors import AthenaeumError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import CursorResult, Row
    from sqlalchemy.ext.asyncio import AsyncSession

_COUNT = text("SELECT status, count(*) AS total FROM events GROUP BY status")
_LIST = text("""
    SELECT * FROM events WHERE CAST(:status AS text) IS NULL OR status = :status
    ORDER BY coalesce(processed_at, created_at) DESC, id DESC LIMIT :limit""")
_SHOW = text("SELECT * FROM events WHERE id = :id")
_REVIVE = text("SELECT events_revive(:id)")
_DROP = text("DELETE FROM failed_events WHERE event_id = :id RETURNING event_id")
_COUNT_FAILED = text("SELECT count(*) FROM failed_events WHERE CAST(:kind AS text) IS NULL OR kind = :kind")
_REVIVE_ALL = text("""
    SELECT count(*) FILTER (WHERE events_revive(event_id))
    FROM (SELECT event_id FROM failed_events WHERE CAST(:kind AS text) IS NULL OR kind = :kind ORDER BY event_id) f""")
_DROP_ALL = text("DELETE FROM failed_events WHERE CAST(:kind AS text) IS NULL OR kind = :kind")
_CANCEL = text("SELECT events_cancel(:id)")


class NoSuchEvent(AthenaeumError):  # noqa: N818 - named for what it means, as in athenaeum.errors
    """There is no event of that number, or not in the state that was asked for."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A row of the view `events`: everything that is known of an event, whatever its status."""

    id: EventId
    event_type: str
    payload: Mapping[str, Any]
    status: EventStatus
    visibility_timeout: datetime | None
    """When the claim ends unless a heartbeat extends it."""
    claimed_by: str | None
    retry_count: int
    error_message: str | None
    created_at: datetime
    processed_at: datetime | None
    """When it was completed, or failed for good."""
    tenant_id: TenantId
    dedupe_key: str | None
    ordering_key: str | None
    lease_token: LeaseToken
    priority: int
    ready_at: datetime | None
    """When it may be claimed; None when it is finished."""


async def stats(session: AsyncSession) -> dict[EventStatus, int]:
    """How many events there are of each status; reads all of the kept history."""
    found = {row.status: row.total for row in await session.execute(_COUNT)}
    return {status: found.get(status, 0) for status in EventStatus}


async def list_events(session: AsyncSession, status: EventStatus | None = None, limit: int = 50) -> list[EventRecord]:
    """The latest events, newest first."""
    return [_record(row) for row in await session.execute(_LIST, {"status": status, "limit": limit})]


async def show(session: AsyncSession, event_id: EventId) -> EventRecord:
    """One event.

    Raises:
        NoSuchEvent: There is none of that number.
    """
    row = (await session.execute(_SHOW, {"id": event_id})).one_or_none()
    if row is None:
        raise NoSuchEvent(f"there is no event {event_id}: `athenaeum events list` shows the latest")
    return _record(row)


async def retry(session: AsyncSession, event_id: EventId) -> None:
    """Make a failed event pending again, as if it had never been tried.

    Raises:
        NoSuchEvent: It has not failed.
    """
    if not (await session.execute(_REVIVE, {"id": event_id})).scalar_one():
        raise await _not_failed(session, event_id)


async def drop(session: AsyncSession, event_id: EventId) -> None:
    """Delete a failed event for good.

    Raises:
        NoSuchEvent: It has not failed.
    """
    if (await session.execute(_DROP, {"id": event_id})).one_or_none() is None:
        raise await _not_failed(session, event_id)


async def count_failed(session: AsyncSession, kind: str | None = None) -> int:
    """How many events have failed, of a kind or of all."""
    return (await session.execute(_COUNT_FAILED, {"kind": kind})).scalar_one()


async def retry_all(session: AsyncSession, kind: str | None = None) -> int:
    """Make all failed events pending again, the oldest first; how many there were."""
    return (await session.execute(_REVIVE_ALL, {"kind": kind})).scalar_one()


async def drop_all(session: AsyncSession, kind: str | None = None) -> int:
    """Delete all failed events for good; how many there were."""
    return cast("CursorResult[Any]", await session.execute(_DROP_ALL, {"kind": kind})).rowcount


async def cancel(session: AsyncSession, event_id: EventId) -> None:
    """End an event that is not finished: it is kept as failed with the error `cancelled`, and may be retried.

    A handler that works on it is stopped as soon as its process hears of the commit, at the latest by the next
    heartbeat, and its outcome is refused. What it shows until then counts: its token stays the newest where nobody has
    written under another. The next event of its ordering key may run. The session has no tenant.

    Raises:
        NoSuchEvent: It is finished, or there is none of that number.
    """
    if not (await session.execute(_CANCEL, {"id": event_id})).scalar_one():
        found = await show(session, event_id)
        raise NoSuchEvent(f"event {event_id} is {found.status} already: nothing of it is left to cancel")


async def _not_failed(session: AsyncSession, event_id: EventId) -> NoSuchEvent:
    found = await show(session, event_id)
    return NoSuchEvent(
        f"event {event_id} is {found.status}, not failed: `athenaeum events list --status failed` shows those"
    )


def _record(row: Row[Any]) -> EventRecord:
    columns: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    columns["status"] = EventStatus(row.status)
    return EventRecord(**columns)
