"""Redis away means slower, not wrong: the whole product, before, during and after."""

from __future__ import annotations

from pathlib import Path

import httpx2

from slacksim.server import SlackSim
from support.product import Product, at_work, until
from support.redis_server import RedisServer
from support.stage import said


async def degraded(client: httpx2.AsyncClient, part: str) -> bool:
    health = (await client.get("/health")).json()
    return health[part]["status"] == "degraded"


async def done(product: Product) -> bool:
    return set(await product.turn_states()) == {"delivered"}


async def test_questions_wait_for_a_broker_that_is_away_and_are_answered_when_it_is_back(
    sim: SlackSim, database_url: str, tmp_path: Path, redis_server: RedisServer
) -> None:
    async with (
        at_work(sim, database_url, tmp_path / "home", engine="celery", redis_url=redis_server.url) as product,
        httpx2.AsyncClient(base_url=product.running.address) as client,
    ):
        redis_server.stop()
        asked = [product.ask("maya", "platform") for _ in range(3)]
        await until(lambda: degraded(client, "broker"))
        assert await degraded(client, "redis")
        assert "delivered" not in await product.turn_states()
        redis_server.start()
        await until(lambda: done(product), seconds=60)
        for question in asked:
            (reply,) = product.replies(question)
            assert "athenaeum events retry" in said(reply)
    assert len(product.spoken()) == 3


async def test_a_worker_ends_though_its_broker_is_away(
    sim: SlackSim, database_url: str, tmp_path: Path, redis_server: RedisServer
) -> None:
    async with at_work(sim, database_url, tmp_path / "home", engine="celery", redis_url=redis_server.url):
        redis_server.stop()
