"""An export's people and conversations in the archive: what is newer there, or was doubted since, stays."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.archive.channels import Channel
from athenaeum.conversations.archive.people import Person
from athenaeum.conversations.export.contents import Conversation
from athenaeum.database.models import SlackChannel, SlackMember, SlackUser
from athenaeum.domain.identity import UserId

_PEOPLE = cast("Table", SlackUser.__table__)
_CHANNELS = cast("Table", SlackChannel.__table__)
_MEMBERS = cast("Table", SlackMember.__table__)


async def save_people(session: AsyncSession, people: Collection[Person], *, taken_at: datetime) -> None:
    """Store people as they were at `taken_at`, unless something newer is known of them than that they exist."""
    statement = insert(_PEOPLE).values(tenant_id=func.athenaeum_tenant(), updated_at=taken_at)
    names = [field.name for field in fields(Person) if field.name != "user_id"]
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "user_id"],
        set_={**{name: statement.excluded[name] for name in names}, "updated_at": taken_at},
        where=(_PEOPLE.c.name == "") | (_PEOPLE.c.updated_at < taken_at),
    )
    if people:
        await session.execute(statement, [asdict(person) for person in people])


async def meet_strangers(session: AsyncSession, users: Iterable[UserId], *, taken_at: datetime) -> None:
    """Note people whom the export mentions and does not describe: until they are read they count as guests."""
    statement = insert(_PEOPLE).values(tenant_id=func.athenaeum_tenant(), name="", is_guest=True, updated_at=taken_at)
    if rows := [{"user_id": user} for user in sorted(set(users))]:
        await session.execute(statement.on_conflict_do_nothing(), rows)


async def save_conversation(session: AsyncSession, conversation: Conversation, *, taken_at: datetime) -> None:
    """Store a conversation with its members as they were at `taken_at`; unlisted members stay unknown."""
    channel, members = conversation.channel, conversation.members
    facts: dict[str, Any] = {
        **_described(channel),
        "members_read_at": None if members is None else taken_at,
        "updated_at": taken_at,
    }
    statement = insert(_CHANNELS).values(tenant_id=func.athenaeum_tenant(), channel_id=channel.channel_id, **facts)
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "channel_id"],
        set_={**facts, "is_shared": _CHANNELS.c.is_shared | statement.excluded.is_shared},
        where=_CHANNELS.c.updated_at < taken_at,
    )
    if (await session.execute(statement.returning(_CHANNELS.c.channel_id))).first() is None:
        # known better already; one that an event has only named gets its name, and stays as narrow as it is
        nameless = update(SlackChannel).where(SlackChannel.channel_id == channel.channel_id, SlackChannel.name == "")
        await session.execute(nameless.values(name=channel.name, topic=channel.topic))
        return
    await session.execute(delete(SlackMember).where(SlackMember.channel_id == channel.channel_id))
    if rows := [{"channel_id": channel.channel_id, "user_id": user} for user in sorted(members or ())]:
        await session.execute(insert(_MEMBERS).values(tenant_id=func.athenaeum_tenant()), rows)


def _described(channel: Channel) -> dict[str, Any]:
    described = asdict(channel)
    del described["channel_id"]
    return described
