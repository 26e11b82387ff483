"""The bucket as a row: one statement, the database's clock, and undone with its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from athenaeum.tenants.limits.bucket import Rate, TooManyRequests

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, TenantId, TurnId

# No bucket is emptier than empty: a clock that was set back must not close a channel until it has caught up.
_TAKE = text("""
    INSERT INTO channel_limits AS l (tenant_id, channel_id, full_at, wait)
    VALUES (:tenant, :channel, clock_timestamp() + CAST(:interval AS interval), interval '0')
    ON CONFLICT (tenant_id, channel_id) DO UPDATE SET (full_at, wait) = (
        SELECT CASE WHEN later <= latest THEN later ELSE full_at END, greatest(later - latest, interval '0')
        FROM (SELECT clock_timestamp() AS now) AS clock,
            LATERAL (SELECT now + CAST(:period AS interval) AS latest) AS empty,
            LATERAL (SELECT greatest(now, least(l.full_at, latest)) AS full_at) AS found,
            LATERAL (SELECT full_at + CAST(:interval AS interval) AS later) AS taken)
    RETURNING wait""")


class PostgresBucket:
    """Questions of one channel take turns at its row, from here to their commit: take last, and commit soon."""

    def __init__(self, rate: Rate) -> None:
        """`rate` may change: what was taken before counts at the new one."""
        self._rate = rate

    async def take(self, session: AsyncSession, tenant: TenantId, channel: ChannelId, *, turn: TurnId) -> None:  # noqa: ARG002 - the turn's own row keeps a repetition away
        """As `TokenBucket.take` says."""
        values = {"tenant": tenant, "channel": channel, "interval": self._rate.interval, "period": self._rate.period}
        wait = (await session.execute(_TAKE, values)).scalar_one()
        if wait:
            raise TooManyRequests(wait)
