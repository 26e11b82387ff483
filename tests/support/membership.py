"""Who is in which channel, at random, and who may then read what: an oracle that knows nothing of SQL.

The rule of the product names shelves. This names people: an answer is read by everybody who can see the place, and
what is quoted in it has to be readable to each of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import ChannelId, TenantId, UserId
from athenaeum.retrieval.audience import DOCUMENTS, OPEN_DOCUMENTS

Standing = Literal["member", "guest", "unknown"]


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation; `known` is whether its members were read, and `members` who is in it in truth."""

    id: str
    kind: ChannelKind
    members: frozenset[str]
    shared: bool
    known: bool


@dataclass(frozen=True, slots=True)
class Society:
    """People by their standing, and channels."""

    people: dict[str, Standing]
    channels: tuple[Channel, ...]

    def audiences(self, tenant: TenantId) -> Iterator[tuple[Audience, frozenset[str]]]:
        """Everybody asking everywhere that they can write, and who reads the answer there; and everybody alone."""
        for asker in sorted(self.people):
            yield Audience(tenant, UserId(asker), None), frozenset({asker})
        for channel in self.channels:
            for asker in sorted(self.people):
                if asker in channel.members or (channel.kind is ChannelKind.PUBLIC and self.people[asker] == "member"):
                    place = Place(ChannelId(channel.id), channel.id, channel.kind, is_shared=channel.shared)
                    yield Audience(tenant, UserId(asker), place), self.readers(channel) | {asker}

    def readers(self, channel: Channel) -> frozenset[str]:
        """Who can read a channel; one whom nobody knows of stands for those who may be there as well."""
        within = channel.members
        if channel.kind is ChannelKind.PUBLIC:
            within |= {person for person, standing in self.people.items() if standing == "member"}
        strange = channel.shared or not (channel.known or channel.kind is ChannelKind.DIRECT)
        return within | {f"somebody in {channel.id}"} if strange else within

    def shelf_readers(self, shelf: str) -> frozenset[str]:
        """Who may read a shelf."""
        everybody = frozenset(self.people).union(*(self.readers(channel) for channel in self.channels))
        if shelf == OPEN_DOCUMENTS:
            return everybody
        if shelf == DOCUMENTS:
            return frozenset(person for person, standing in self.people.items() if standing == "member")
        (channel,) = (channel for channel in self.channels if channel.id == shelf)
        if not channel.known and channel.kind is not ChannelKind.PUBLIC:
            return frozenset()
        return self.readers(channel)

    async def settle(self, session: AsyncSession) -> None:
        """Write it into the archive's tables; whoever is unknown has no row."""
        users = [
            {"user_id": name, "is_guest": kind == "guest"} for name, kind in self.people.items() if kind != "unknown"
        ]
        rows = [
            {"channel_id": channel.id, "kind": channel.kind, "is_shared": channel.shared, "known": channel.known}
            for channel in self.channels
        ]
        members = [
            {"channel_id": channel.id, "user_id": member}
            for channel in self.channels
            if channel.known
            for member in channel.members
        ]
        for statement, values in ((_USERS, users), (_CHANNELS, rows), (_MEMBERS, members)):
            await session.execute(text(statement), {"rows": json.dumps(values)})


_USERS = """
    INSERT INTO slack_users (tenant_id, user_id, name, is_guest)
    SELECT athenaeum_tenant(), user_id, user_id, is_guest
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (user_id text, is_guest boolean)
"""
_CHANNELS = """
    INSERT INTO slack_channels (tenant_id, channel_id, name, kind, is_shared, members_read_at)
    SELECT athenaeum_tenant(), channel_id, channel_id, kind, is_shared, CASE WHEN known THEN now() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (channel_id text, kind text, is_shared boolean, known boolean)
"""
_MEMBERS = """
    INSERT INTO slack_members (tenant_id, channel_id, user_id)
    SELECT athenaeum_tenant(), channel_id, user_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (channel_id text, user_id text)
"""


@st.composite
def societies(draw: st.DrawFn) -> Society:
    """A few people in a few channels of every kind."""
    standings = draw(st.lists(st.sampled_from(("member", "member", "guest", "unknown")), min_size=2, max_size=5))
    people: dict[str, Standing] = {f"U{place}": standing for place, standing in enumerate(standings)}
    kinds = draw(st.lists(st.sampled_from(ChannelKind), min_size=2, max_size=6))
    return Society(
        people, tuple(draw(_channels(f"C{place}", kind, sorted(people))) for place, kind in enumerate(kinds))
    )


@st.composite
def _channels(draw: st.DrawFn, name: str, kind: ChannelKind, people: list[str]) -> Channel:
    most = 1 if kind is ChannelKind.DIRECT else len(people)
    members = frozenset(draw(st.lists(st.sampled_from(people), min_size=1, max_size=most, unique=True)))
    often = st.sampled_from((True, True, True, False))
    shared = kind is not ChannelKind.DIRECT and not draw(often)
    return Channel(name, kind, members, shared=shared, known=draw(often))
