"""Every test of this folder, on each engine."""

from __future__ import annotations

from typing import Any

import pytest

from support.engines import engine
from support.product import PLATFORM

__all__ = ["engine"]


@pytest.fixture
def company() -> dict[str, Any]:
    """Few channels; modules that ask in others say so by a fixture of their own."""
    return PLATFORM


@pytest.fixture(autouse=True)
def _on_each_engine(engine: str) -> None:  # pyright: ignore[reportUnusedFunction]
    """Celery on Redis where there is a Redis."""
