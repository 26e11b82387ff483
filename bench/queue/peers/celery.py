"""Celery on Redis with the thread pool: settings of both as they come, which keep nothing safe from a crash."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any

from bench.queue.payload import payload
from bench.queue.peers.contract import SLOTS, Addresses, Peer, Put
from bench.queue.record import Record

celery: Any = import_module("celery")  # may be missing, so the type checker does not look for it
redis: Any = import_module("redis")

_QUEUE = "celery"
_UNACKNOWLEDGED = "unacked"


class Celery(Peer):
    def __init__(self, addresses: Addresses) -> None:
        super().__init__(addresses)
        self._redis = redis.Redis.from_url(addresses.redis)

    async def __aexit__(self, *_: object) -> None:
        self._redis.close()

    def _app(self, record: Record | None = None) -> tuple[Any, Any]:
        app = celery.Celery("bench", broker=self.addresses.redis)

        @app.task(name="bench")
        def bench(event: dict[str, Any]) -> None:
            assert record is not None
            record.start(event["i"])

        return app, bench

    async def empty(self) -> None:
        self._redis.flushall()

    @asynccontextmanager
    async def producer(self, clients: int) -> AsyncGenerator[Put]:  # noqa: ARG002 - it blocks: one at a time
        app, task = self._app()
        with app.producer_or_acquire() as producer:

            async def put(i: int) -> None:
                task.apply_async((payload(i),), producer=producer)

            yield put

    async def bulk(self, count: int) -> None:
        async with self.producer(1) as put:  # it knows no batches
            for i in range(count):
                await put(i)

    async def wait(self, count: int) -> None:
        async with self.producer(1) as put:
            await put(0)
        message = json.loads(self._redis.lpop(_QUEUE))
        with self._redis.pipeline(transaction=False) as pipeline:
            for i in range(count):
                _, options, canvas = json.loads(base64.b64decode(message["body"]))
                body = json.dumps([[payload(i)], options, canvas]).encode()
                name = str(uuid.uuid4())
                headers = {**message["headers"], "id": name, "root_id": name}
                properties = {**message["properties"], "correlation_id": name, "delivery_tag": str(uuid.uuid4())}
                filled = {"body": base64.b64encode(body).decode(), "headers": headers, "properties": properties}
                pipeline.lpush(_QUEUE, json.dumps({**message, **filled}))
                if i % 5000 == 0:
                    pipeline.execute()
            pipeline.execute()

    async def finish(self, count: int) -> None:
        """Nothing is left behind without a result backend."""

    async def discard(self) -> None:
        await self.empty()

    async def unfinished(self) -> bool:
        return bool(self._redis.llen(_QUEUE) or self._redis.hlen(_UNACKNOWLEDGED))

    def work(self, record: Record) -> None:
        app, _ = self._app(record)
        options = ["--pool", "threads", "--concurrency", str(SLOTS), "--loglevel", "ERROR", "--without-mingle"]
        with suppress(SystemExit):
            app.worker_main(["worker", *options])
