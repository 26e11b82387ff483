"""A database of the test's own, and the tenants in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import TenantId


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as connection:
        yield connection


@pytest.fixture
async def other_tenant(database: DatabaseConnection) -> TenantId:
    tenant = TenantId(uuid4())
    async with database.session() as session:
        await session.execute(text("INSERT INTO tenants (tenant_id, name) VALUES (:id, 'other')"), {"id": tenant})
    return tenant
