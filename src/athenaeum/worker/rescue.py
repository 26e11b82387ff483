"""What any worker does for all: making events of dead workers ready again, and measuring the queue."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.events import admin
from athenaeum.observability import metrics

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection

log = structlog.get_logger(__name__)

_INTERVAL = timedelta(seconds=3)
_MEASURED = 5
"""One turn in so many also counts the queue, which takes 0.1 s when a million events wait."""
_RESCUE = text("SELECT rescued, failed FROM events_rescue(:attempts)")


async def watch(database: DatabaseConnection, *, max_retries: int) -> None:
    """Rescue every few seconds, until cancelled; a database that is away is waited for."""
    for turn in itertools.count():
        await asyncio.sleep(_INTERVAL.total_seconds() * random.uniform(0.8, 1.2))  # noqa: S311 - jitter
        try:
            await rescue(database, max_retries=max_retries)
            if turn % _MEASURED == 0:
                await measure(database)
        except (SQLAlchemyError, OSError) as error:
            log.warning("rescue.failed", error=type(error).__name__)


async def rescue(database: DatabaseConnection, *, max_retries: int) -> int:
    """Make events ready whose lease ran out, counting the attempt; how many there were.

    An event whose workers died on all of its 1 + `max_retries` attempts is handed out once more, so that its
    handler can say that it gives up; when that worker dies as well, the event fails.
    """
    async with database.session() as session:
        found = (await session.execute(_RESCUE, {"attempts": max_retries + 2})).one()
    if found.rescued or found.failed:
        log.warning("events.rescued", rescued=found.rescued, failed=found.failed)
    return found.rescued


async def measure(database: DatabaseConnection) -> admin.Backlog:
    """Set the gauges of the queue's depth and age, and give what they were set to."""
    async with database.session() as session:
        backlog = await admin.backlog(session)
    for status, count in backlog.depth.items():
        metrics.QUEUE_DEPTH.labels(status).set(count)
    metrics.QUEUE_OLDEST_SECONDS.set(backlog.oldest.total_seconds())
    return backlog
