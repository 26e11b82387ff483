"""A small workspace behind a real server, with quick retries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.server import SlackSim
from slacksim.world import World

SCENARIO: dict[str, Any] = {
    "team": {"name": "Test", "domain": "test"},
    "app": {"name": "athenaeum"},
    "users": [{"name": "maya"}, {"name": "tom"}, {"name": "vera", "is_guest": True}],
    "channels": [
        {"name": "general", "members": ["maya", "tom", "athenaeum"]},
        {"name": "elsewhere", "members": ["maya"]},
        {"name": "secret", "kind": "private", "members": ["maya", "athenaeum"]},
        {"name": "hidden", "kind": "private", "members": ["tom"]},
        {"kind": "im", "members": ["maya", "athenaeum"]},
    ],
}


class Control(Protocol):
    """Calls the control API and returns its JSON."""

    async def get(self, path: str) -> dict[str, Any]: ...

    async def post(self, path: str, **body: object) -> dict[str, Any]: ...


class HttpControl:
    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def get(self, path: str) -> dict[str, Any]:
        async with self._session.get(f"{self._url}/_sim/{path}") as answer:
            return {"status": answer.status} | await answer.json()

    async def post(self, path: str, **body: object) -> dict[str, Any]:
        async with self._session.post(f"{self._url}/_sim/{path}", json=body) as answer:
            return {"status": answer.status} | await answer.json()


@pytest.fixture
def world() -> World:
    return scenario.build(SCENARIO)


@pytest.fixture
async def sim(world: World) -> AsyncIterator[SlackSim]:
    timing = Timing(retry_delays=(0.0, 0.01, 0.01), warning_seconds=0.05)
    async with SlackSim(world, timing=timing) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def control(sim: SlackSim, session: aiohttp.ClientSession) -> Control:
    return HttpControl(sim.url, session)


@pytest.fixture
def web(sim: SlackSim, session: aiohttp.ClientSession) -> AsyncWebClient:
    return AsyncWebClient(token=sim.world.app.bot_token, base_url=sim.api_url, session=session, retry_handlers=[])


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Any]:
    """Waits until a condition holds, for ten seconds at most."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - the condition is of plain objects, which signal nothing
                await asyncio.sleep(0.002)

    return wait
