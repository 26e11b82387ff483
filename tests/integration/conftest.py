"""A product of the test's own, at work in 0.4 s; a server that speaks like Anthropic's; and the door to the database.

The door is direct, and for the suites that say so by `BOTH_DOORS` a pooler's as well. Folders may have others.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from slacksim.server import SlackSim
from support.anthropic_server import AnthropicServer
from support.bouncer import PgBouncer
from support.database import PostgresServer
from support.product import COMPANY, Product, at_work, workspace


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pooler(postgres: PostgresServer) -> AsyncGenerator[PgBouncer]:
    """Before every database of the run's server, with a few connections to each."""
    async with PgBouncer(postgres.url) as bouncer:
        yield bouncer


@pytest.fixture
def door(request: pytest.FixtureRequest) -> str:
    """`direct`, or `pooled` where a test is run by both."""
    return getattr(request, "param", "direct")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_url: str, door: str) -> str:
    """A migrated database of this test's own, by the door that it is to be reached by."""
    if door == "direct":
        return database_url
    pooler: PgBouncer = request.getfixturevalue("pooler")
    return urlsplit(pooler.url)._replace(path=urlsplit(database_url).path).geturl()


@pytest.fixture
def company() -> dict[str, Any]:
    """Whose workspace it is."""
    return COMPANY


@pytest.fixture
async def sim(company: dict[str, Any]) -> AsyncGenerator[SlackSim]:
    async with workspace(company) as running:
        yield running


@pytest.fixture
async def product(sim: SlackSim, database_url: str, tmp_path: Path) -> AsyncGenerator[Product]:
    """Connected by Socket Mode."""
    async with at_work(sim, database_url, tmp_path / "home") as working:
        yield working


@pytest.fixture
async def anthropic() -> AsyncGenerator[AnthropicServer]:
    async with AnthropicServer() as server:
        yield server
