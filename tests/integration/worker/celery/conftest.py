"""A queue, a Redis, and relays and workers between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from redis import Redis

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, EventId, TenantId
from athenaeum.events import enqueue
from athenaeum.wiring.background import beside
from athenaeum.worker.celery.app import build_app
from athenaeum.worker.celery.bench import Bench
from athenaeum.worker.celery.consumer import Consumer
from athenaeum.worker.celery.relay import Relay
from athenaeum.worker.execution import Process
from support.redis_server import RedisServer


@dataclass(slots=True)
class Post:
    """What a test does with the queue and the broker."""

    database: DatabaseConnection
    server: RedisServer
    broker: str
    done: list[int] = field(default_factory=list[int])
    """The numbers of the events that were worked on, in that order."""

    async def enqueue(self, *numbers: int, tenant: TenantId = DEFAULT_TENANT, **fields: object) -> list[EventId]:
        """Events that carry these numbers."""
        async with self.database.session(tenant) as session:
            events = [NewEvent("k", {"n": number}, tenant, **fields) for number in numbers]  # pyright: ignore[reportArgumentType]
            ids = [await enqueue(session, event) for event in events]
        return [event for event in ids if event is not None]

    async def work(self, event: Event) -> None:
        """The handler of these tests."""
        self.done.append(event.payload["n"])

    @asynccontextmanager
    async def relaying(self, *, bound: int = 64, patience: float = 15.0) -> AsyncGenerator[Relay]:
        app = build_app(self.broker)
        relay = Relay(self.database, app, max_retries=3, bound=bound, patience=timedelta(seconds=patience))
        try:
            async with beside(relay.run()):
                yield relay
        finally:
            app.close()

    def consuming(
        self, handler: Process | None = None, *, size: int = 5, drain: float = 10.0
    ) -> AbstractAsyncContextManager[Consumer]:
        bench = Bench(
            size,
            self.database,
            handler or self.work,
            visibility_timeout=timedelta(seconds=60),
            max_retries=3,
            drain_time=timedelta(seconds=drain),
        )
        return Consumer(build_app(self.broker), bench, size=size)

    def messages(self) -> int:
        """How many messages wait in the broker."""
        with Redis.from_url(self.broker) as client:
            return int(client.llen("athenaeum"))  # pyright: ignore[reportArgumentType] - of the sync client

    def forget(self) -> None:
        """Lose every message."""
        with Redis.from_url(self.broker) as client:
            client.flushdb()

    async def until(self, condition: Callable[[], bool], *, seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - Celery's thread tells nobody
                await asyncio.sleep(0.01)


@pytest.fixture
async def post(database_url: str, redis_server: RedisServer) -> AsyncGenerator[Post]:
    async with DatabaseConnection(database_url) as database:
        yield Post(database, redis_server, redis_server.new_database())
