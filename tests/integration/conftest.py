"""The door to the database: direct, and for the suites that say so by `BOTH_DOORS` behind a pooler as well."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from support.bouncer import PgBouncer
from support.database import PostgresServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pooler(postgres: PostgresServer) -> AsyncGenerator[PgBouncer]:
    """Before every database of the run's server, with a few connections to each."""
    async with PgBouncer(postgres.url) as bouncer:
        yield bouncer


@pytest.fixture
def door(request: pytest.FixtureRequest) -> str:
    """`direct`, or `pooled` where a test is run by both."""
    return getattr(request, "param", "direct")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_url: str, door: str) -> str:
    """A migrated database of this test's own, by the door that it is to be reached by."""
    if door == "direct":
        return database_url
    pooler: PgBouncer = request.getfixturevalue("pooler")
    return urlsplit(pooler.url)._replace(path=urlsplit(database_url).path).geturl()
