"""Two workspaces and a product that both may install."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from slacksim.server import SlackSim
from slacksim.world import World
from support.installing import Hub, company, hub, settings, workspaces


@pytest.fixture
def northwind() -> World:
    return company("Northwind")


@pytest.fixture
def lantern() -> World:
    return company("Lantern")


@pytest.fixture
async def sim(northwind: World, lantern: World) -> AsyncGenerator[SlackSim]:
    async with workspaces(northwind, lantern) as running:
        yield running


@pytest.fixture
async def product(sim: SlackSim, database_url: str, tmp_path: Path) -> AsyncGenerator[Hub]:
    async with hub(sim, settings(sim, database_url, tmp_path)) as working:
        yield working
