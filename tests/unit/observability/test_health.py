"""Health as probes of many kinds see it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from fastapi import FastAPI

from athenaeum.observability import health
from athenaeum.observability.health import Probe, Status, health_router


def probe(status: Status, detail: str = "", **facts: object) -> Callable[[], Awaitable[Probe]]:
    async def look() -> Probe:
        return Probe(status, detail, facts)

    return look


async def broken() -> Probe:
    raise OSError("no route")


async def hanging() -> Probe:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.fixture
def ask() -> Callable[..., Awaitable[httpx2.Response]]:
    async def get(path: str, **probes: Callable[[], Awaitable[Probe]]) -> httpx2.Response:
        app = FastAPI()
        app.include_router(health_router(probes))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://health") as client:
            return await client.get(path)

    return get


async def test_every_part_is_named_with_its_facts(ask: Callable[..., Awaitable[httpx2.Response]]) -> None:
    answer = await ask("/health", database=probe(Status.UP), queue=probe(Status.UP, depth=3))
    assert answer.status_code == 200
    assert answer.json() == {"status": "up", "database": {"status": "up"}, "queue": {"status": "up", "depth": 3}}


async def test_the_worst_part_is_how_the_process_is(ask: Callable[..., Awaitable[httpx2.Response]]) -> None:
    answer = await ask("/health", a=probe(Status.UP), b=probe(Status.DOWN, "gone"), c=probe(Status.DEGRADED))
    assert (answer.status_code, answer.json()["status"], answer.json()["b"]["detail"]) == (503, "down", "gone")


async def test_a_degraded_process_is_ready_and_one_with_a_part_down_is_not(
    ask: Callable[..., Awaitable[httpx2.Response]],
) -> None:
    assert (await ask("/ready", a=probe(Status.DEGRADED))).status_code == 200
    answer = await ask("/ready", a=probe(Status.UP), b=probe(Status.DOWN))
    assert (answer.status_code, answer.json()) == (503, {"ready": False, "down": ["b"]})


async def test_a_probe_that_breaks_or_hangs_is_down(
    ask: Callable[..., Awaitable[httpx2.Response]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_PATIENCE", 0.05)
    answer = (await ask("/health", a=broken, b=hanging)).json()
    assert (answer["a"]["status"], answer["b"]["status"]) == ("down", "down")


async def test_a_process_that_answers_is_alive_whatever_is_down(
    ask: Callable[..., Awaitable[httpx2.Response]],
) -> None:
    assert (await ask("/live", a=probe(Status.DOWN))).status_code == 200


async def test_metrics_are_there_for_prometheus(ask: Callable[..., Awaitable[httpx2.Response]]) -> None:
    answer = await ask("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"athenaeum_intake_seconds_bucket" in answer.content or b"python_info" in answer.content
