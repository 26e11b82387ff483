"""Limits on how many events run at once, by kind, by tenant, or by both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from athenaeum.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TenantId

_SET = text("""
    INSERT INTO event_limits (tenant_id, kind, at_most) VALUES (:tenant, :kind, :at_most)
    ON CONFLICT (tenant_id, kind) DO UPDATE SET at_most = excluded.at_most""")
_REMOVE = text("""
    DELETE FROM event_limits WHERE tenant_id IS NOT DISTINCT FROM CAST(:tenant AS uuid)
        AND kind IS NOT DISTINCT FROM CAST(:kind AS text) RETURNING at_most""")
_LIST = text("""
    SELECT kind, tenant_id AS tenant, at_most,
           (SELECT count(*) FROM queued_events q
            WHERE q.state = 'running' AND (l.tenant_id IS NULL OR q.tenant_id = l.tenant_id)
                AND (l.kind IS NULL OR q.kind = l.kind)) AS running
    FROM event_limits l ORDER BY kind NULLS FIRST, tenant_id NULLS FIRST""")


@dataclass(frozen=True, slots=True)
class Limit:
    """`running` of the events that it is about run now, and no more are claimed once they are `at_most`."""

    kind: str | None
    """None: of any kind."""
    tenant: TenantId | None
    """None: of any tenant."""
    at_most: int
    """0 pauses them."""
    running: int


async def limit(
    session: AsyncSession, at_most: int, *, kind: str | None = None, tenant: TenantId | None = None
) -> None:
    """Let at most so many events of a kind, of a tenant, or of a tenant's kind run at once, counted over all workers.

    It holds for claims after the commit; what runs goes on. An event is claimed when every limit that is about it has
    room. Claims take turns while there is any limit, each event by itself: expect some thousand a second.

    Args:
        session: One without a tenant.
        at_most: 0 pauses them.
        kind: None for all kinds together.
        tenant: None for all tenants together.

    Raises:
        Refused: `at_most` is negative.
    """
    if at_most < 0:
        raise Refused(f"a limit is 0 or more, not {at_most}")
    await session.execute(_SET, {"at_most": at_most, "kind": kind, "tenant": tenant})


async def unlimit(session: AsyncSession, *, kind: str | None = None, tenant: TenantId | None = None) -> bool:
    """Remove the limit that was set for exactly these; False when there is none."""
    return (await session.execute(_REMOVE, {"kind": kind, "tenant": tenant})).one_or_none() is not None


async def list_limits(session: AsyncSession) -> list[Limit]:
    """The limits that there are."""
    return [Limit(**row._mapping) for row in await session.execute(_LIST)]  # noqa: SLF001 - SQLAlchemy's public name
