"""A product of the test's own, on each engine: it is at work in 0.4 s."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from slacksim.server import SlackSim
from support.engines import engine
from support.product import Product, at_work, workspace

__all__ = ["engine"]


@pytest.fixture(autouse=True)
def _on_each_engine(engine: str) -> None:  # pyright: ignore[reportUnusedFunction]
    """Every test of this folder."""


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
