"""A desk on a database of the test's own, and a model server on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from athenaeum.database.connection import DatabaseConnection
from support.desk import CountedIndex, Desk


@pytest.fixture
async def desk(database_url: str) -> AsyncGenerator[Desk]:
    async with DatabaseConnection(database_url, pool_size=2) as database:
        desk = Desk(database, CountedIndex(database))
        await desk.set_out()
        yield desk
