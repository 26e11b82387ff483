"""Redis and Celery's broker, as the doctor finds them."""

from __future__ import annotations

import pytest

from athenaeum.config import Config
from athenaeum.diagnostics import broker
from support.redis_server import RedisServer

NOWHERE = "redis://127.0.0.1:1/0"


async def found(**settings: str) -> dict[str, tuple[str, bool]]:
    """The status of each finding, and whether it names a mend."""
    findings = await broker.look(Config(**settings))
    return {finding.subject: (finding.status.value, finding.mend is not None) for finding in findings}


async def test_nothing_is_said_of_what_nobody_wants() -> None:
    assert await found() == {}


async def test_both_answer(redis_server: RedisServer) -> None:
    assert await found(redis_url=redis_server.url, engine="celery") == {"redis": ("ok", False), "broker": ("ok", False)}


async def test_a_redis_that_is_away_is_a_warning_and_a_broker_a_fault() -> None:
    assert await found(redis_url=NOWHERE, engine="celery") == {"redis": ("warning", True), "broker": ("fault", True)}


@pytest.mark.parametrize("url", ["redis://127.0.0.1:port/0"])
async def test_an_address_that_cannot_be_read_is_a_fault(url: str) -> None:
    assert await found(redis_url=url) == {"redis": ("fault", True)}


async def test_celery_without_a_broker_is_a_fault() -> None:
    assert await found(engine="celery") == {"broker": ("fault", True)}
