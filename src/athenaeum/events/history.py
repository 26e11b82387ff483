"""The end of finished events: partitions for the days to come, none for those that are too old."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_UPKEEP = text("SELECT events_upkeep(:keep, :keep_keys)")
_SHORTEST = timedelta(hours=24)


async def upkeep(
    session: AsyncSession, *, keep: timedelta = timedelta(days=30), keep_keys: timedelta = timedelta(days=2)
) -> None:
    """Make room for the next week and forget what is too old; to be called once an hour or so.

    Failed events are not touched: they stay until they are retried or dropped. Concurrent calls are harmless.

    Args:
        session: One without a tenant.
        keep: For how long finished events are kept, by whole days.
        keep_keys: For how long dedupe keys are remembered after their event was due, 24 hours at least.
    """
    if keep_keys < _SHORTEST:
        raise ValueError("dedupe keys are remembered for 24 hours at least: Slack delivers again for that long")
    await session.execute(_UPKEEP, {"keep": keep, "keep_keys": keep_keys})
