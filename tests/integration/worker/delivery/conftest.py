from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from support.stage import Stage
from support.stage import stage as setting


@pytest.fixture
async def stage(database_url: str) -> AsyncGenerator[Stage]:
    async with setting(database_url) as ready:
        yield ready
