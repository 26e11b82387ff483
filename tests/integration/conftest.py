"""A product of the test's own, at work in 0.4 s, and a server that speaks like Anthropic's; folders may have others."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from slacksim.server import SlackSim
from support.anthropic_server import AnthropicServer
from support.product import Product, at_work, workspace


@pytest.fixture
async def sim() -> AsyncGenerator[SlackSim]:
    async with workspace() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def product(sim: SlackSim, database_url: str, home: Path) -> AsyncGenerator[Product]:
    """Connected by Socket Mode."""
    async with at_work(sim, database_url, home) as working:
        yield working


@pytest.fixture
async def anthropic() -> AsyncGenerator[AnthropicServer]:
    async with AnthropicServer() as server:
        yield server
