"""A queue in a database of the test's own, and hands to work it with."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from athenaeum.database.connection import DatabaseConnection
from support.events import Queue


@pytest_asyncio.fixture
async def events(database_url: str) -> AsyncGenerator[Queue]:
    async with DatabaseConnection(database_url) as database, Queue(database) as queue:
        yield queue
