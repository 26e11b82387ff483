"""The queue within a session of the caller's: claim, work, and finish in transactions of one's own choosing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from athenaeum.domain.event import EventStatus
from athenaeum.events import admin
from athenaeum.events.queue import claimed
from athenaeum.events.retry import Abandon, Fail, Finish, Retry, decide, describe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.event import Event

_CLAIM = text(
    "SELECT event_id, tenant_id, kind, payload, lease_token, attempt, created_at"
    " FROM events_claim(:worker, 1, CAST(:lease AS interval), NULL)"
)
_COMPLETE = text("SELECT events_complete_one(:id, :token)")
_RETRY = text("SELECT events_retry(:id, :token, :error, CAST(:after AS interval))")
_FAIL = text("SELECT events_fail(:id, :token, :error)")
_DEPTH = text("SELECT count(*) FROM queued_events WHERE state <> 'running'")


class EventProcessor:
    """Claims and finishes events in the session's own transaction.

    The session must have no tenant (`database.session()`), for claims go across tenants; a session of a tenant
    may only look. Commit after `claim_event`, before the work begins: until then the lease is nobody's.
    """

    def __init__(
        self,
        session: AsyncSession,
        worker_id: str,
        *,
        visibility_timeout: timedelta = timedelta(seconds=60),
        max_retries: int = 3,
    ) -> None:
        """`worker_id` is what `claimed_by` shows."""
        self._session = session
        self._worker = worker_id
        self._lease = visibility_timeout
        self._max_retries = max_retries

    async def claim_event(self) -> Event | None:
        """The most urgent event that is due, leased for the visibility timeout; None when there is none."""
        row = (await self._session.execute(_CLAIM, {"worker": self._worker, "lease": self._lease})).one_or_none()
        if row is None:
            return None
        return claimed(row)

    async def complete_event(self, event: Event) -> bool:
        """Finish the event; False, and nothing changed, when the lease was lost."""
        return await self._write(_COMPLETE, event)

    async def fail_event(self, event: Event, error: BaseException) -> EventStatus | None:
        """Let the error's class decide what becomes of the event.

        Returns:
            The event's new status (pending: it will be tried again), or None, and nothing changed, when the
            lease was lost.
        """
        match decide(error, attempt=event.attempt, max_retries=self._max_retries):
            case Retry(after):
                held = await self._write(_RETRY, event, {"error": describe(error), "after": after})
                status = EventStatus.PENDING
            case Fail():
                held = await self._write(_FAIL, event, {"error": describe(error)})
                status = EventStatus.FAILED
            case Finish():
                held = await self._write(_COMPLETE, event)
                status = EventStatus.COMPLETED
            case Abandon():
                return None
        return status if held else None

    async def get_queue_stats(self) -> dict[str, int]:
        """How many events there are of each status: pending, processing, completed, failed."""
        return {status.value: count for status, count in (await admin.stats(self._session)).items()}

    async def get_queue_depth(self) -> int:
        """How many events wait, those included that are not due yet."""
        return (await self._session.execute(_DEPTH)).scalar_one()

    async def _write(self, statement: Any, event: Event, values: Mapping[str, object] | None = None) -> bool:
        found = await self._session.execute(statement, {"id": event.id, "token": event.token, **(values or {})})
        return found.scalar_one()
