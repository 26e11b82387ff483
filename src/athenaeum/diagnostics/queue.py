"""Whether events fail, or wait for a worker."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.exc import DBAPIError

from athenaeum.database.connection import DatabaseConnection
from athenaeum.diagnostics import schema
from athenaeum.diagnostics.finding import Finding, ok, warning
from athenaeum.events.backlog import State, measure, oldest

SUBJECT = "queue"
_LONG = timedelta(seconds=60)


async def look(url: str, *, begun: bool) -> Finding:
    """How many events have failed, and how long the first in line has been due; `begun` as in `schema`."""
    if not begun:
        return ok(SUBJECT, "nothing in it yet")
    try:
        async with DatabaseConnection(url) as database, database.session() as session:
            backlogs = await measure(session)
    except DBAPIError:
        return warning(SUBJECT, "cannot be read before the migrations are applied", schema.MEND)
    failed = sum(backlog.depth[State.FAILED] for backlog in backlogs)
    waiting = sum(backlog.pending for backlog in backlogs)
    if (age := oldest(backlogs)) > _LONG:
        minutes = age.total_seconds() / 60
        return warning(SUBJECT, f"the oldest of {waiting} events waits for {minutes:.0f} min", "athenaeum worker")
    if failed:
        mend = "athenaeum events list --status failed, then athenaeum events retry ID or drop ID"
        return warning(SUBJECT, f"events that have failed: {failed}", mend)
    return ok(SUBJECT, f"{waiting} waiting, none has failed")
