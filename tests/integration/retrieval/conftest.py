"""An index on a database of the test's own, and a small workspace to read from."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.retrieval.index import Index
from support.index import LetterEmbedder, Workspace


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as connection:
        yield connection


@pytest.fixture
def embedder() -> LetterEmbedder:
    return LetterEmbedder()


@pytest.fixture
def index(database: DatabaseConnection, embedder: LetterEmbedder) -> Index:
    return Index(database, embedder)


@pytest.fixture
async def other_tenant(database: DatabaseConnection) -> TenantId:
    tenant = TenantId(uuid4())
    async with database.session() as session:
        await session.execute(
            text("INSERT INTO tenants (tenant_id, name) VALUES (:tenant, 'other')"), {"tenant": tenant}
        )
    return tenant


@pytest.fixture
def workspace(database: DatabaseConnection) -> Workspace:
    return Workspace(database, DEFAULT_TENANT)
