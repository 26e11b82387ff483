"""Celery as its users have it: started by its own command, and with RabbitMQ."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from athenaeum.config import Config
from athenaeum.wiring.process import Role, open_process
from slacksim.server import SlackSim
from support.product import Product, at_work, configure, connect, until
from support.rabbitmq_server import rabbitmq_url
from support.redis_server import RedisServer
from support.stage import said

__all__ = ["rabbitmq_url"]
pytestmark = pytest.mark.slow

CELERY = [sys.executable, "-m", "celery", "-A", "athenaeum", "worker", "--loglevel", "INFO"]


@asynccontextmanager
async def celery(config: Config, *options: str, log: Path) -> AsyncGenerator[Process]:
    """Celery's own worker with this configuration."""
    environment = {name: value for name, value in os.environ.items() if name not in config.describe()}
    for name, field in Config.model_fields.items():
        value = getattr(config, name)
        if value is not None:
            shown = value.get_secret_value() if hasattr(value, "get_secret_value") else value
            environment[str(field.validation_alias)] = str(shown)
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *CELERY, *options, env=environment, cwd=log.parent, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def test_celerys_own_worker_answers_questions_and_hands_back_what_it_cannot_end(
    sim: SlackSim, database_url: str, tmp_path: Path, redis_server: RedisServer
) -> None:
    config = configure(
        sim, database_url, tmp_path / "home", engine="celery", celery_broker_url=redis_server.new_database()
    )
    log = tmp_path / "celery.log"
    async with open_process(config, {Role.GATEWAY}) as running:
        product = Product(sim, running, await running.workspace.tenant())
        await connect(sim, running, via="socket")
        await running.workspace.synced.wait()
        await product.put()
        async with celery(config, "--concurrency", "2", log=log) as process:
            asked = product.ask("maya", "platform")

            async def answered() -> bool:
                return any("athenaeum events retry" in said(reply) for reply in product.replies(asked))

            await until(answered, seconds=60)
            product.fault("chat.update", "slow", seconds=60, times=9)
            unanswered = product.ask("maya", "platform")

            async def begun() -> bool:
                return bool(product.replies(unanswered))

            await until(begun, seconds=60)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 60) == 0, log.read_text()
        left = "SELECT state, attempt FROM queued_events WHERE kind = 'turn'"
        assert await product.rows(left) == [("ready", 0)]
        shut_down = log.read_text()
    assert "executor.handed_back" in shut_down


async def test_a_question_is_answered_over_rabbitmq(
    sim: SlackSim, database_url: str, tmp_path: Path, rabbitmq_url: str
) -> None:
    async with at_work(
        sim, database_url, tmp_path / "home", engine="celery", celery_broker_url=rabbitmq_url
    ) as product:
        for _ in range(2):
            assert "athenaeum events retry" in said(await product.answer(product.ask("maya", "platform")))
    assert len(product.spoken()) == 2
