"""What a channel's messages without a mention are to the bot; the tenant is the session's.

Only messages outside of threads: in a thread the bot listens once it was spoken to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.models import ChannelMode, SlackChannel, SlackMember
from athenaeum.domain.channel import Mode
from athenaeum.domain.identity import ChannelId, UserId
from athenaeum.errors import RetryLater

CAP = 20
"""Answers a day that nobody asked for by mention, unless a channel is given another number."""

_TODAY = func.date(func.timezone("UTC", func.now()))


class CapReached(RetryLater):
    """The channel has had its answers of today."""


@dataclass(frozen=True, slots=True)
class ChannelSetting:
    """A channel's mode; `answered` counts today."""

    channel: ChannelId
    name: str
    mode: Mode
    cap: int
    answered: int


async def mode_of(session: AsyncSession, channel: ChannelId) -> Mode:
    """The mode of a channel."""
    found = await session.scalar(select(ChannelMode.mode).where(ChannelMode.channel_id == channel))
    return Mode.MENTIONS if found is None else Mode(found)


async def count_answer(session: AsyncSession, channel: ChannelId) -> None:
    """Count one more answer today; days begin at midnight UTC.

    Raises:
        CapReached: The channel has had all of today's.
    """
    new_day = ChannelMode.counted_on < _TODAY
    counted = await session.scalar(
        update(ChannelMode)
        .where(ChannelMode.channel_id == channel, new_day | (ChannelMode.answered < ChannelMode.cap))
        .values(counted_on=_TODAY, answered=case((new_day, 1), else_=ChannelMode.answered + 1))
        .returning(ChannelMode.answered)
        .execution_options(synchronize_session=False)
    )
    if counted is None:
        raise CapReached(f"channel {channel} has had its answers of today")


async def set_mode(session: AsyncSession, channel: ChannelId, mode: Mode, *, cap: int = CAP) -> None:
    """Answer in a channel by this mode from now on; what was answered today stays counted."""
    row = insert(ChannelMode).values(
        tenant_id=func.athenaeum_tenant(), channel_id=channel, mode=mode.value, cap=cap, counted_on=_TODAY
    )
    await session.execute(
        row.on_conflict_do_update(index_elements=["tenant_id", "channel_id"], set_={"mode": mode.value, "cap": cap})
    )


async def setting_of(session: AsyncSession, channel: ChannelId) -> ChannelSetting:
    """How a channel stands."""
    known = (await session.execute(_settings().where(SlackChannel.channel_id == channel))).one_or_none()
    return ChannelSetting(channel, "", Mode.MENTIONS, CAP, 0) if known is None else _read(known)


async def list_settings(session: AsyncSession) -> list[ChannelSetting]:
    """The mode of every channel that is not archived, by name; direct messages have none."""
    channel = SlackChannel
    listed = _settings().where(channel.kind != "im", ~channel.is_archived).order_by(channel.name, channel.channel_id)
    return [_read(row) for row in await session.execute(listed)]


async def list_answered(session: AsyncSession, user: UserId) -> list[ChannelSetting]:
    """The channels of a person in which more is answered than mentions, by name."""
    theirs = select(SlackMember.channel_id).where(SlackMember.user_id == user)
    listed = (SlackChannel.channel_id.in_(theirs), ~SlackChannel.is_archived, ChannelMode.mode != Mode.MENTIONS.value)
    found = await session.execute(_settings().where(*listed).order_by(SlackChannel.name, SlackChannel.channel_id))
    return [_read(row) for row in found]


def _settings() -> Select[str, str, str, int, Any]:
    row, channel = ChannelMode, SlackChannel
    today = case((row.counted_on == _TODAY, row.answered), else_=0)
    return select(channel.channel_id, channel.name, row.mode, row.cap, today).outerjoin(
        row, row.channel_id == channel.channel_id
    )


def _read(row: Row[str, str, str, int, Any]) -> ChannelSetting:
    channel, name, mode, cap, answered = row
    return ChannelSetting(ChannelId(channel), name, Mode(mode or Mode.MENTIONS), cap or CAP, answered or 0)
