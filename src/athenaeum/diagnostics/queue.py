"""Whether events fail, or wait for a worker."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from athenaeum.database.connection import DatabaseConnection
from athenaeum.diagnostics import schema
from athenaeum.diagnostics.finding import Finding, ok, warning
from athenaeum.domain.event import EventStatus
from athenaeum.events import admin

SUBJECT = "queue"
_LONG = timedelta(seconds=60)


async def look(url: str, *, begun: bool) -> Finding:
    """How many events have failed, and how long the first in line has been due; `begun` as in `schema`."""
    if not begun:
        return ok(SUBJECT, "nothing in it yet")
    try:
        async with DatabaseConnection(url) as database, database.session() as session:
            backlog = await admin.backlog(session)
    except DBAPIError:
        return warning(SUBJECT, "cannot be read before the migrations are applied", schema.MEND)
    failed, waiting = backlog.depth[EventStatus.FAILED], backlog.depth[EventStatus.PENDING]
    if backlog.oldest > _LONG:
        minutes = backlog.oldest.total_seconds() / 60
        return warning(SUBJECT, f"the oldest of {waiting} events waits for {minutes:.0f} min", "athenaeum worker")
    if failed:
        mend = "athenaeum events list --status failed, then athenaeum events retry ID or drop ID"
        return warning(SUBJECT, f"events that have failed: {failed}", mend)
    return ok(SUBJECT, f"{waiting} waiting, none has failed")
