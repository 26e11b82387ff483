"""The agent's face: per tenant, per channel, and for one person; the tenant is the session's."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from sqlalchemy import case, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from athenaeum.database.models import PersonaRow
from athenaeum.domain.identity import ChannelId, UserId
from athenaeum.domain.tenant import Persona

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncSession

_ROW = PersonaRow
_EVERYWHERE, _EVERYBODY = ChannelId(""), UserId("")
FIELDS = tuple(field.name for field in fields(Persona))
"""What may be overridden."""


class Overrides(TypedDict, total=False):
    """Fields of a persona that are given; None takes an override back, absence leaves it."""

    name: str | None
    role: str | None
    instructions: str | None
    model: str | None
    tools: Sequence[str] | None
    system_template: str | None
    context_template: str | None


@dataclass(frozen=True, slots=True)
class Face:
    """What is overridden in one place, None for everywhere, for one person, None for everybody."""

    channel: ChannelId | None
    user: UserId | None
    overrides: dict[str, Any]


async def persona_for(session: AsyncSession, channel: ChannelId | None, user: UserId | None = None) -> Persona:
    """Who the agent is for a person in a channel.

    Field by field the closest counts: the person's in the channel, the person's, the channel's, the tenant's.
    """
    rows = await session.scalars(
        select(_ROW)
        .where(
            _ROW.channel_id.in_([_EVERYWHERE, channel or _EVERYWHERE]),
            _ROW.user_id.in_([_EVERYBODY, user or _EVERYBODY]),
        )
        .order_by(case((_ROW.user_id == "", 0), else_=1), case((_ROW.channel_id == "", 0), else_=1))
    )
    persona = Persona()
    for row in rows:
        persona = replace(persona, **_given(row))
    return persona


async def set_persona(
    session: AsyncSession, channel: ChannelId | None = None, user: UserId | None = None, **overrides: Unpack[Overrides]
) -> None:
    """Change the given fields of the tenant's persona, of one channel's, or for one person."""
    values: dict[str, Any] = dict(overrides)
    if values.get("tools") is not None:
        values["tools"] = list(values["tools"])
    statement = insert(_ROW).values(
        tenant_id=func.athenaeum_tenant(), channel_id=channel or _EVERYWHERE, user_id=user or _EVERYBODY, **values
    )
    if values:
        key = ["tenant_id", "channel_id", "user_id"]
        statement = statement.on_conflict_do_update(index_elements=key, set_=values)
    await session.execute(statement if values else statement.on_conflict_do_nothing())


async def unset_persona(session: AsyncSession, channel: ChannelId | None = None, user: UserId | None = None) -> bool:
    """Take every override of exactly this place and person back; False when there was none."""
    place = (_ROW.channel_id == (channel or _EVERYWHERE), _ROW.user_id == (user or _EVERYBODY))
    return await session.scalar(delete(_ROW).where(*place).returning(_ROW.tenant_id)) is not None


async def every_face(session: AsyncSession) -> list[Face]:
    """All that is overridden, the tenant's own first."""
    rows = await session.scalars(select(_ROW).order_by(_ROW.channel_id, _ROW.user_id))
    return [Face(ChannelId(row.channel_id) or None, UserId(row.user_id) or None, _given(row)) for row in rows]


def _given(row: PersonaRow) -> dict[str, Any]:
    given = {name: getattr(row, name) for name in FIELDS if getattr(row, name) is not None}
    if "tools" in given:
        given["tools"] = tuple(given["tools"])
    return given
