"""The bucket as a row: one statement, the database's clock, and undone with its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from athenaeum.tenants.limits.bucket import TooManyRequests

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, TenantId, TurnId, UserId
    from athenaeum.tenants.limits.bucket import Rate, Rates

# No bucket is emptier than empty: a clock that was set back must not close a channel until it has caught up.
_TAKE = """
    INSERT INTO {table} AS l (tenant_id, {column}, full_at, wait)
    VALUES (:tenant, :subject, clock_timestamp() + CAST(:interval AS interval), interval '0')
    ON CONFLICT (tenant_id, {column}) DO UPDATE SET (full_at, wait) = (
        SELECT CASE WHEN later <= latest THEN later ELSE full_at END, greatest(later - latest, interval '0')
        FROM (SELECT clock_timestamp() AS now) AS clock,
            LATERAL (SELECT now + CAST(:period AS interval) AS latest) AS empty,
            LATERAL (SELECT greatest(now, least(l.full_at, latest)) AS full_at) AS found,
            LATERAL (SELECT full_at + CAST(:interval AS interval) AS later) AS taken)
    RETURNING wait"""
_OF_CHANNEL = text(_TAKE.format(table="channel_limits", column="channel_id"))
_OF_USER = text(_TAKE.format(table="user_limits", column="user_id"))
_GIVE_BACK = text("""
    UPDATE channel_limits SET full_at = full_at - CAST(:interval AS interval)
    WHERE tenant_id = :tenant AND channel_id = :subject""")


class PostgresBucket:
    """Questions of one channel or person take turns at its row, from here to their commit: take last, commit soon."""

    def __init__(self, rates: Rates) -> None:
        """`rates` may change: what was taken before counts at the new ones."""
        self._rates = rates

    async def take(
        self,
        session: AsyncSession,
        tenant: TenantId,
        channel: ChannelId,
        user: UserId,
        *,
        turn: TurnId,  # noqa: ARG002 - the turn's own row keeps a repetition away
    ) -> None:
        """As `TokenBucket.take` says."""
        # Always the channel's row first, so that two questions never wait for each other.
        of_channel = _values(tenant, channel, self._rates.channel)
        of_user = _values(tenant, user, self._rates.user)
        if of_channel and (wait := (await session.execute(_OF_CHANNEL, of_channel)).scalar_one()):
            raise TooManyRequests(wait)
        if of_user and (wait := (await session.execute(_OF_USER, of_user)).scalar_one()):
            if of_channel:
                await session.execute(_GIVE_BACK, of_channel)
            raise TooManyRequests(wait)


def _values(tenant: TenantId, subject: str, rate: Rate | None) -> dict[str, object]:
    if rate is None:
        return {}
    return {"tenant": tenant, "subject": subject, "interval": rate.interval, "period": rate.period}
