"""Where a conversation takes place, from the store."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.models import SlackChannel
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import ChannelId


async def place(session: AsyncSession, channel: ChannelId) -> Place:
    """The channel as the agent sees it; one that was never read is private and shared: the narrowest."""
    row = await session.scalar(select(SlackChannel).where(SlackChannel.channel_id == channel))
    if row is None:
        kind = ChannelKind.DIRECT if channel.startswith("D") else ChannelKind.PRIVATE
        return Place(id=channel, name="", kind=kind, is_shared=kind is not ChannelKind.DIRECT)
    return Place(id=channel, name=row.name, kind=ChannelKind(row.kind), is_shared=row.is_shared)
