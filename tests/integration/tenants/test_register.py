"""Tenants by their workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId, UserId
from athenaeum.errors import Refused
from athenaeum.tenants import register
from support.slack_events import IDENTITY


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=5) as opened:
        yield opened


async def test_the_first_workspace_takes_the_default_tenant_and_the_second_its_own(
    database: DatabaseConnection,
) -> None:
    first = await register.bind(database, IDENTITY)
    second = await register.bind(database, replace(IDENTITY, team_id="T0002", team="Other"))

    assert first.id == DEFAULT_TENANT
    assert second.id != DEFAULT_TENANT
    assert await register.resolve(database, "T0002", None) == second


async def test_a_workspace_keeps_its_tenant_when_the_app_is_installed_again(database: DatabaseConnection) -> None:
    first = await register.bind(database, IDENTITY)
    again = await register.bind(database, replace(IDENTITY, bot_user=UserId("UNEW")))

    assert again == replace(first, bot_user=UserId("UNEW"))
    assert await register.resolve(database, "T0001", None) == again


async def test_processes_that_start_at_once_bind_one_tenant(database: DatabaseConnection) -> None:
    async with asyncio.TaskGroup() as group:
        bound = [group.create_task(register.bind(database, IDENTITY)) for _ in range(5)]

    assert {task.result().id for task in bound} == {DEFAULT_TENANT}


async def test_a_team_comes_before_its_organisation(database: DatabaseConnection) -> None:
    organisation = await register.bind(database, replace(IDENTITY, team_id="E1", enterprise_id="E1"))
    team = await register.bind(database, replace(IDENTITY, team_id="T1", enterprise_id="E1"))

    assert organisation.team_id is None
    assert (await register.resolve(database, "T1", "E1")) == team
    assert (await register.resolve(database, "T9", "E1")) == organisation
    assert (await register.resolve(database, None, "E1")) == organisation


async def test_nobody_is_found_by_nothing(database: DatabaseConnection) -> None:
    assert await register.resolve(database, None, None) is None
    assert await register.resolve(database, "T0001", None) is None


async def test_a_disabled_tenant_is_not_found_until_it_is_bound_again(database: DatabaseConnection) -> None:
    tenant = await register.bind(database, IDENTITY)
    async with database.session() as session:
        await session.execute(text("UPDATE tenants SET status = 'disabled'"))
    assert await register.resolve(database, "T0001", None) is None

    await register.bind(database, IDENTITY)
    assert await register.resolve(database, "T0001", None) == tenant


async def test_a_tenant_is_got_by_its_id(database: DatabaseConnection) -> None:
    tenant = await register.bind(database, IDENTITY)
    assert await register.get(database, tenant.id) == tenant
    with pytest.raises(Refused):
        await register.get(database, TenantId(uuid4()))
