"""Whether what is said in Slack is read as often as it should be, so that nothing that was missed stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import DBAPIError

from athenaeum.conversations.archive import channels
from athenaeum.database.connection import DatabaseConnection
from athenaeum.diagnostics import schema
from athenaeum.diagnostics.finding import Finding, ok, warning
from athenaeum.tenants import register

SUBJECT = "histories"
_LATE = timedelta(minutes=30)
"""Several times the five minutes after which a history is read again."""
_MEND = "athenaeum up, or athenaeum worker with this workspace's token; athenaeum events schedules shows it"


async def look(url: str, *, begun: bool) -> list[Finding]:
    """How many channels were not read for long, of all workspaces; nothing is said where none is connected."""
    if not begun:
        return []
    late: list[datetime] = []
    try:
        async with DatabaseConnection(url, pool_size=1) as database:
            served = [one for one in await register.every(database) if one.is_connected and not one.disabled_because]
            for tenant in served:
                if tenant.bot_user is not None:
                    async with database.session(tenant.id) as session:
                        late += await channels.unread_since(session, tenant.bot_user, longer_than=_LATE)
    except DBAPIError:
        return [warning(SUBJECT, "cannot be read before the migrations are applied", schema.MEND)]
    if not served:
        return []
    if not late:
        return [ok(SUBJECT, "every channel was read lately")]
    minutes = (datetime.now(UTC) - min(late)).total_seconds() / 60
    return [warning(SUBJECT, f"channels that were not read lately: {len(late)}, the longest {minutes:.0f} min", _MEND)]
