"""Whether the database's schema is the newest."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from athenaeum.database.migrate import pending
from athenaeum.diagnostics.finding import Finding, fault, ok, warning
from athenaeum.errors import Misconfigured

SUBJECT = "migrations"
MEND = "athenaeum db migrate"


async def look(url: str, *, begun: bool) -> Finding:
    """Compare the schema with the migrations; `begun` is whether there ever was one."""
    try:
        missing = await pending(url)
    except (DBAPIError, Misconfigured) as error:
        return fault(SUBJECT, str(error), MEND)
    if not missing:
        return ok(SUBJECT, "up to date")
    if not begun:
        return warning(SUBJECT, "the database is empty; the first start sets it up", MEND)
    return fault(SUBJECT, f"not applied yet: {', '.join(missing)}", MEND)
