"""A queue in a database of the test's own, and hands to work it with."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from athenaeum.database.connection import DatabaseConnection
from athenaeum.events.link import Link


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as database:
        yield database


@pytest_asyncio.fixture
async def link(database: DatabaseConnection) -> AsyncGenerator[Link]:
    async with Link(database) as link:
        yield link
