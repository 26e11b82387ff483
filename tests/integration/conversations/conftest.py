"""A database with the tenant of a simulated workspace."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.tenant import Tenant
from athenaeum.slack.client import SlackClient
from athenaeum.tenants import register
from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.server import SlackSim
from slacksim.world import World
from support.slack_events import Store

SCENARIO: dict[str, Any] = {
    "team": {"name": "Test", "domain": "test"},
    "app": {"name": "athenaeum"},
    "users": [{"name": "maya", "real_name": "Maya Chen"}, {"name": "tom"}, {"name": "vera", "is_guest": True}],
    "channels": [
        {
            "name": "general",
            "members": ["maya", "tom", "vera", "athenaeum"],
            "messages": [
                {"user": "tom", "text": "The release train leaves on Tuesday, <@maya>.", "ago": 9000},
                {
                    "user": "maya",
                    "text": "Where is the runbook?",
                    "ago": 8000,
                    "replies": [{"user": "tom", "text": "Pinned in the wiki.", "ago": 7900}],
                },
                {"user": "maya", "text": "<@athenaeum> what is a runbook?", "ago": 7000},
                {"user": "athenaeum", "text": "A list of steps.", "ago": 6990},
            ],
        },
        {"name": "elsewhere", "members": ["maya"], "messages": [{"user": "maya", "text": "Unseen.", "ago": 100}]},
        {
            "name": "secret",
            "kind": "private",
            "members": ["maya", "athenaeum"],
            "messages": [{"user": "maya", "text": "The budget is 480000 euros.", "ago": 5000}],
        },
        {"name": "hidden", "kind": "private", "members": ["tom"]},
        {"kind": "im", "members": ["maya", "athenaeum"]},
    ],
}


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=5) as opened:
        yield opened


@pytest.fixture
def world() -> World:
    return scenario.build(SCENARIO)


@pytest.fixture
async def sim(world: World) -> AsyncGenerator[SlackSim]:
    async with SlackSim(world, timing=Timing(ack_seconds=0.5)) as running:
        yield running


@pytest.fixture
async def client(sim: SlackSim) -> AsyncGenerator[SlackClient]:
    async with SlackClient(sim.world.app.bot_token, base_url=sim.api_url) as opened:
        yield opened


@pytest.fixture
async def tenant(database: DatabaseConnection, client: SlackClient) -> Tenant:
    return await register.bind(database, await client.auth_test())


@pytest.fixture
def store(database: DatabaseConnection, tenant: Tenant) -> Store:
    return Store(database, tenant.id)
