"""Celery, where the configuration wants it: who tells the broker, and who takes what it brings."""

from __future__ import annotations

import hashlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from athenaeum.errors import AthenaeumError, Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection

    from celery import Celery

    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId
    from athenaeum.worker.celery.bench import Bench
    from athenaeum.worker.celery.consumer import Consumer
    from athenaeum.worker.celery.relay import Relay
    from athenaeum.worker.execution import Process


_PATIENCE = 4  # seconds


class BrokerAway(AthenaeumError):  # noqa: N818 - named for what it means, as in athenaeum.errors
    """The broker does not answer; the message is its driver's word for it."""


def celery_app(config: Config) -> Celery:
    """The application for the configured broker; nothing is opened.

    Raises:
        Misconfigured: No broker is configured, or Celery is not installed.
    """
    if config.broker_url is None:
        raise Misconfigured("ATHENAEUM_ENGINE is celery, and there is no broker: set CELERY_BROKER_URL or REDIS_URL")
    try:
        from athenaeum.worker.celery.app import build_app  # noqa: PLC0415 - an extra that not everybody installs
    except ImportError as error:
        raise Misconfigured(
            "ATHENAEUM_ENGINE is celery, and Celery is missing: pip install 'athenaeum[celery]'"
        ) from error
    return build_app(config.broker_url, queue=_queue(config))


def greet(app: Celery) -> None:
    """Connect to the broker and leave again; blocks, for a few seconds at most.

    Raises:
        BrokerAway: It does not answer.
    """
    from athenaeum.worker.celery.app import BROKER_FAULTS  # noqa: PLC0415 - likewise

    try:
        with app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=_PATIENCE)
    except BROKER_FAULTS as error:
        raise BrokerAway(type(error).__name__) from error
    finally:
        app.close()


@asynccontextmanager
async def open_relay(
    config: Config, database: DatabaseConnection, tenants: Collection[TenantId] | None
) -> AsyncGenerator[Relay]:
    """The relay for events of these tenants, which may grow, or of all; to be run beside other work."""
    app = celery_app(config)
    from athenaeum.worker.celery.relay import Relay  # noqa: PLC0415 - likewise

    try:
        yield Relay(database, app, max_retries=config.max_retry_count, tenants=tenants)
    finally:
        app.close()


def bench(config: Config, database: DatabaseConnection, process: Process, *, size: int) -> Bench:
    """Where what the broker brings is worked on; nothing is opened."""
    from athenaeum.worker.celery.bench import Bench  # noqa: PLC0415 - likewise

    return Bench(
        size,
        database,
        process,
        visibility_timeout=config.visibility_timeout,
        max_retries=config.max_retry_count,
    )


def consumer(config: Config, database: DatabaseConnection, process: Process) -> Consumer:
    """Celery's worker of the configured size, in this process; nothing is opened."""
    app = celery_app(config)
    from athenaeum.worker.celery.consumer import Consumer  # noqa: PLC0415 - likewise

    size = config.worker_pool_size
    return Consumer(app, bench(config, database, process, size=size), size=size)


def _queue(config: Config) -> str:
    """One for each bot, unless tokens are stored: another workspace's events are for the process that has its token."""
    if config.slack_bot_token is None or config.secret_keys:
        return "athenaeum"
    digest = hashlib.sha256(config.slack_bot_token.get_secret_value().encode()).hexdigest()
    return f"athenaeum.{digest[:12]}"
