"""The agent's face, per tenant and per channel; the tenant is the session's."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict, Unpack

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.models import PersonaRow
from athenaeum.domain.identity import ChannelId
from athenaeum.domain.tenant import Persona

_EVERYWHERE = ChannelId("")


class Overrides(TypedDict, total=False):
    """Fields of a persona that are given; None takes an override back, absence leaves it."""

    name: str | None
    role: str | None
    instructions: str | None
    model: str | None


async def persona_for(session: AsyncSession, channel: ChannelId | None) -> Persona:
    """Who the agent is in a channel: the tenant's persona, overridden field by field by the channel's."""
    places = [_EVERYWHERE, channel or _EVERYWHERE]
    rows = await session.scalars(
        select(PersonaRow).where(PersonaRow.channel_id.in_(places)).order_by(PersonaRow.channel_id)
    )
    persona = Persona()
    for row in rows:  # the tenant's comes first: its channel is the empty one
        given = {"name": row.name, "role": row.role, "instructions": row.instructions, "model": row.model}
        persona = replace(persona, **{field: value for field, value in given.items() if value is not None})
    return persona


async def set_persona(session: AsyncSession, channel: ChannelId | None = None, **overrides: Unpack[Overrides]) -> None:
    """Change the given fields of the tenant's persona, or of one channel's."""
    statement = insert(PersonaRow).values(
        tenant_id=func.athenaeum_tenant(), channel_id=channel or _EVERYWHERE, **overrides
    )
    if overrides:
        statement = statement.on_conflict_do_update(
            index_elements=["tenant_id", "channel_id", "user_id"], set_=dict(overrides)
        )
    await session.execute(statement if overrides else statement.on_conflict_do_nothing())
