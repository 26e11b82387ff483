"""The parts that `/health` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from athenaeum.events.backlog import State, oldest
from athenaeum.observability.health import Probe, Status
from athenaeum.worker.rescue import measure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.tenants.limits.redis import RedisBucket
    from athenaeum.wiring.engine import Workers
    from athenaeum.worker.celery.relay import Relay


def database(connections: DatabaseConnection) -> Callable[[], Awaitable[Probe]]:
    """Whether a new connection answers, and how full the pool is."""

    async def look() -> Probe:
        status = connections.get_pool_status()
        facts = {"connections": status.in_use, "limit": status.limit}
        if await connections.health_check():
            return Probe(Status.UP, facts=facts)
        return Probe(Status.DOWN, "PostgreSQL does not answer: see docs/runbooks/database-away.md", facts)

    return look


def queue(connections: DatabaseConnection) -> Callable[[], Awaitable[Probe]]:
    """How much waits and for how long; also keeps the gauges."""

    async def look() -> Probe:
        try:
            backlogs = await measure(connections)
        except (SQLAlchemyError, OSError):
            return Probe(Status.DEGRADED, "unknown while the database is away")
        facts = {
            "pending": sum(backlog.pending for backlog in backlogs),
            "processing": sum(backlog.depth[State.RUNNING] for backlog in backlogs),
            "failed": sum(backlog.depth[State.FAILED] for backlog in backlogs),
            "oldest_seconds": round(oldest(backlogs).total_seconds(), 1),
        }
        return Probe(Status.UP, facts=facts)

    return look


def workers(pool: Workers) -> Callable[[], Awaitable[Probe]]:
    """Whether the pool takes events."""

    async def look() -> Probe:
        health = await pool.health_check()
        stats = pool.get_stats()
        facts = {"running": stats["workers_running"], "busy": stats["workers_busy"]}
        return Probe(Status.UP, facts=facts) if health else Probe(Status.DOWN, "; ".join(health.problems), facts)

    return look


def redis(bucket: RedisBucket) -> Callable[[], Awaitable[Probe]]:
    """Whether Redis answers; without it questions are counted in PostgreSQL."""

    async def look() -> Probe:
        if await bucket.answers():
            return Probe(Status.UP)
        return Probe(Status.DEGRADED, "Redis does not answer: the limit on questions is kept in PostgreSQL")

    return look


def broker(relay: Relay) -> Callable[[], Awaitable[Probe]]:
    """Whether Celery's broker took the last message."""

    async def look() -> Probe:
        if relay.broker_answers:
            return Probe(Status.UP)
        return Probe(Status.DEGRADED, "the broker does not answer: events wait in PostgreSQL for it to come back")

    return look
