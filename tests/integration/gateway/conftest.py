"""A gateway in front of a real PostgreSQL, with a simulated Slack or with requests of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import httpx2
import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.app import build_app
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.tenants import register
from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.server import SlackSim
from slacksim.world import World
from support.slack_events import IDENTITY, SECRET, Events, Store, Webhook, serving


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=5) as opened:
        yield opened


@pytest.fixture
async def tenant(database: DatabaseConnection) -> Tenant:
    return await register.bind(database, IDENTITY)


@pytest.fixture
def listener(database: DatabaseConnection, tenant: Tenant) -> Listener:
    return Listener(database, Intake(database))


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def store(database: DatabaseConnection, tenant: Tenant) -> Store:
    return Store(database, tenant.id)


@pytest.fixture
async def webhook(listener: Listener) -> AsyncGenerator[Webhook]:
    app = build_app(probes={}, listener=listener, signing_secret=SECRET)
    async with serving(app) as url, httpx2.AsyncClient(base_url=url) as client:
        yield Webhook(url, client)


@pytest.fixture
def world() -> World:
    return scenario.build(
        {
            "team": {"name": "Test", "domain": "test"},
            "app": {"name": "athenaeum"},
            "users": [{"name": "maya", "real_name": "Maya Chen"}, {"name": "tom"}],
            "channels": [
                {"name": "general", "members": ["maya", "tom", "athenaeum"]},
                {"name": "secret", "kind": "private", "members": ["maya", "athenaeum"]},
                {"kind": "im", "members": ["maya", "athenaeum"]},
            ],
        }
    )


@pytest.fixture
def timing() -> Timing:
    """A Slack that is in a hurry."""
    return Timing(ack_seconds=0.5, retry_delays=(0.1,) * 40, warning_seconds=0.1)


@pytest.fixture
async def sim(world: World, timing: Timing) -> AsyncGenerator[SlackSim]:
    async with SlackSim(world, timing=timing) as running:
        yield running


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]:
    """Wait until a condition holds, ten seconds at most."""

    async def wait(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(10):
            while not await condition():  # noqa: ASYNC110 - the database announces nothing to a test
                await asyncio.sleep(0.01)

    return wait
