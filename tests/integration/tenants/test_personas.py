"""The agent's face, per tenant and per channel."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, UserId
from athenaeum.domain.tenant import Persona
from athenaeum.tenants.personas import persona_for, set_persona

SUPPORT = ChannelId("CSUPPORT")


@pytest.fixture
async def session(database_url: str) -> AsyncGenerator[AsyncSession]:
    async with DatabaseConnection(database_url) as database, database.session(DEFAULT_TENANT) as opened:
        yield opened


async def test_without_any_the_packaged_persona_is_used(session: AsyncSession) -> None:
    assert await persona_for(session, SUPPORT) == Persona()


async def test_a_channel_overrides_the_tenant_field_by_field(session: AsyncSession) -> None:
    await set_persona(session, name="Mara", role="Customer Support")
    await set_persona(session, SUPPORT, role="Escalations", model="offline")

    assert await persona_for(session, SUPPORT) == Persona(name="Mara", role="Escalations", model="offline")
    assert await persona_for(session, ChannelId("COTHER")) == Persona(name="Mara", role="Customer Support")


async def test_a_person_overrides_the_channel_and_there_the_closest_counts(session: AsyncSession) -> None:
    maya, tom = UserId("U0MAYA"), UserId("U0TOM")
    await set_persona(session, name="Mara", role="guide", instructions="Be long.")
    await set_persona(session, SUPPORT, instructions="Be kind.")
    await set_persona(session, user=maya, instructions="Be brief.")
    await set_persona(session, SUPPORT, maya, role="doctor")

    assert await persona_for(session, SUPPORT, maya) == Persona("Mara", "doctor", "Be brief.")
    assert await persona_for(session, SUPPORT, tom) == Persona("Mara", "guide", "Be kind.")
    assert await persona_for(session, None, maya) == Persona("Mara", "guide", "Be brief.")


async def test_a_field_that_is_not_given_stays_and_none_takes_it_back(session: AsyncSession) -> None:
    await set_persona(session, name="Mara", role="Customer Support")
    await set_persona(session, role=None)
    await set_persona(session)

    assert await persona_for(session, None) == Persona(name="Mara")
