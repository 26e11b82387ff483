"""Every test of this folder, on each engine."""

from __future__ import annotations

import pytest

from support.engines import engine

__all__ = ["engine"]


@pytest.fixture(autouse=True)
def _on_each_engine(engine: str) -> None:  # pyright: ignore[reportUnusedFunction]
    """Celery on Redis where there is a Redis."""
