"""The engines that the product runs on."""

from __future__ import annotations

from typing import Any

import pytest

from support import product
from support.redis_server import RedisServer


@pytest.fixture(params=["postgres", "celery"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Has every product of the test run on each engine in turn."""
    name: str = request.param
    if name == "celery":
        server: RedisServer = request.getfixturevalue("redis_server")
        settings: dict[str, Any] = {"engine": name, "celery_broker_url": server.url}
        monkeypatch.setattr(product, "ENGINE", settings)
    return name
