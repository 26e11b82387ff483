"""Channels and people as one asker may look them up, by the audience rule; the tenant is the session's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, UserId
from athenaeum.domain.passage import Origin
from athenaeum.retrieval.audience import has_strangers, readable_shelves

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.audience import Audience

_MESSAGES = frozenset({Origin.MESSAGE})
_MEMBERS = f"""
    CASE WHEN kind IN ('{ChannelKind.DIRECT}', '{ChannelKind.GROUP}') THEN ARRAY(
        SELECT coalesce(nullif(person.name, ''), user_id)
        FROM slack_members AS member LEFT JOIN slack_users AS person USING (tenant_id, user_id)
        WHERE member.channel_id = slack_channels.channel_id ORDER BY 1) END
"""  # noqa: S608 - our own words


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """A conversation that the asker may read; direct messages have no name, but `members`."""

    id: ChannelId
    name: str
    kind: ChannelKind
    topic: str
    is_archived: bool
    is_shared: bool
    members: tuple[str, ...]
    """What those in a direct or group message are called; not of channels, which have thousands."""


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """Somebody whom the asker may know of."""

    id: UserId
    name: str
    real_name: str
    is_bot: bool
    is_guest: bool
    is_deactivated: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Which entries are wanted: those with `words` in their name, behind the id `after`, at most `limit`."""

    words: str = ""
    after: str = ""
    limit: int = 100

    @property
    def parameters(self) -> dict[str, Any]:
        """As the statements here take them."""
        return {"words": self.words, "after": self.after, "limit": self.limit}


async def is_readable(session: AsyncSession, audience: Audience, channel: ChannelId) -> bool:
    """Whether everyone in the audience may read a channel now."""
    select, parameters = readable_shelves(audience, _MESSAGES)
    readable = text(f"SELECT CAST(:channel AS text) IN ({select})")
    return bool(await session.scalar(readable, {"channel": channel, **parameters}))


async def are_members(session: AsyncSession, audience: Audience) -> bool:
    """Whether everyone in the audience is a full member of the workspace now: known, no guest, not deactivated."""
    strangers, parameters = has_strangers(audience)
    return await session.scalar(text(strangers), parameters) is False


async def channels(session: AsyncSession, audience: Audience, wanted: Slice) -> list[ChannelEntry]:
    """Channels and conversations that everyone in the audience may read.

    By their ids: whatever is renamed between two slices is neither left out nor listed twice.
    """
    matching = "position(lower(:words) IN lower(name)) > 0 AND channel_id > :after"
    return await _channels(session, audience, matching, wanted.parameters)


async def named(session: AsyncSession, audience: Audience, name: str) -> list[ChannelEntry]:
    """The channel with this id, or those with this name, that everyone in the audience may read."""
    return await _channels(session, audience, "(channel_id = :name OR name = :name)", {"name": name, "limit": 10})


async def people(session: AsyncSession, audience: Audience, wanted: Slice) -> list[PersonEntry]:
    """People and bots of the workspace, by their ids; guests and strangers only of channels that the asker may read."""
    strangers, parameters = has_strangers(audience)
    readable, _ = readable_shelves(audience, _MESSAGES)
    rows = await session.execute(
        text(f"""
            SELECT user_id, name, real_name, is_bot, is_guest, is_deleted, time_zone FROM slack_users AS person
            WHERE name <> '' AND position(lower(:words) IN lower(name || ' ' || real_name)) > 0 AND user_id > :after
              AND NOT ({strangers})
              AND (NOT is_guest OR EXISTS (SELECT FROM slack_members AS member
                                           WHERE member.user_id = person.user_id AND member.channel_id IN ({readable})))
            ORDER BY user_id LIMIT :limit"""),  # noqa: S608 - our own words
        {**wanted.parameters, **parameters},
    )
    return [
        PersonEntry(
            id=UserId(row.user_id),
            name=row.name,
            real_name=row.real_name,
            is_bot=row.is_bot,
            is_guest=row.is_guest,
            is_deactivated=row.is_deleted,
            time_zone=row.time_zone,
        )
        for row in rows
    ]


async def _channels(
    session: AsyncSession, audience: Audience, matching: str, values: dict[str, Any]
) -> list[ChannelEntry]:
    readable, parameters = readable_shelves(audience, _MESSAGES)
    rows = await session.execute(
        text(f"""
            SELECT channel_id, name, kind, topic, is_archived, is_shared, {_MEMBERS} AS members FROM slack_channels
            WHERE {matching} AND channel_id IN ({readable}) ORDER BY channel_id LIMIT :limit"""),  # noqa: S608 - our own words
        {**values, **parameters},
    )
    return [
        ChannelEntry(
            id=ChannelId(row.channel_id),
            name=row.name,
            kind=ChannelKind(row.kind),
            topic=row.topic,
            is_archived=row.is_archived,
            is_shared=row.is_shared,
            members=tuple(row.members or ()),
        )
        for row in rows
    ]
