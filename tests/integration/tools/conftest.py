"""A database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from athenaeum.database.connection import DatabaseConnection


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=2) as connection:
        yield connection
