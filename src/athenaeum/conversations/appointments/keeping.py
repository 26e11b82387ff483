"""A time has come: the turn that it opens, once, and the next time.

Where nothing was said since the last digest there is none. One that is more than six hours late is left out, and the
next one tells of its period too; a reminder is given however late it is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import select

from athenaeum.conversations import turns
from athenaeum.conversations.appointments import book
from athenaeum.conversations.appointments.rhythm import following, preceding
from athenaeum.conversations.appointments.telling import told_moment
from athenaeum.database.models import SlackChannel, SlackMember, SlackUser
from athenaeum.domain.channel import ChannelKind, Surface
from athenaeum.domain.identity import AppointmentId, MessageTs
from athenaeum.domain.passage import Period
from athenaeum.domain.turn import Occasion, Summons
from athenaeum.retrieval import catalogue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.appointments.book import Appointment
    from athenaeum.domain.tenant import Tenant

LATEST = timedelta(hours=6)
"""How late a digest is still given."""


class Kept(StrEnum):
    """What became of a time that came."""

    OPENED = "opened"
    EARLY = "early"
    """It has not come, or was kept before."""
    SKIPPED = "skipped"
    """There was nothing to tell, or it was too late, or it is not known who reads there."""
    ENDED = "ended"
    """The channel or the person is gone, or one of the two left."""


async def keep(session: AsyncSession, tenant: Tenant, appointment: AppointmentId) -> Kept:
    """Do what is due, in the transaction that notes when the next time is."""
    found = await book.find(session, appointment)
    if found is None:
        await book.end(session, tenant.id, appointment)
        return Kept.ENDED
    now = await book.database_now(session)
    if found.next_at > now:
        await book.bring_up(session, tenant.id, appointment, at=found.next_at)
        return Kept.EARLY
    if await _is_over(session, tenant, found):
        await book.end(session, tenant.id, appointment)
        return Kept.ENDED
    kept = await _open(session, tenant, found, now)
    if found.every is None:
        await book.end(session, tenant.id, appointment)
    else:
        since = found.next_at if kept is Kept.OPENED else found.since
        await book.move(session, tenant.id, replace(found, next_at=_next(found, now), since=since))
    return kept


def _next(found: Appointment, now: datetime) -> datetime:
    assert found.every is not None  # asked before
    return following(found.every, after=now, zone=found.zone)


async def _open(session: AsyncSession, tenant: Tenant, found: Appointment, now: datetime) -> Kept:
    since = None
    question = found.words
    if found.occasion is Occasion.DIGEST:
        assert found.every is not None  # digests have a rhythm
        since = found.since or preceding(found.every, before=found.next_at, zone=found.zone)
        if now - found.next_at > LATEST or not await _was_said(session, found, since):
            return Kept.SKIPPED
        name = await session.scalar(select(SlackChannel.name).where(SlackChannel.channel_id == found.channel))
        question = f"What was said in #{name} since {told_moment(since, found.zone)}?"
    ts = _ts(found)
    await turns.open_turn(
        session,
        tenant=tenant.id,
        surface=Surface.SLACK,
        channel=found.channel,
        message_ts=ts,
        thread_ts=found.thread_ts or ts,
        asker=found.owner,
        question=question,
        summons=Summons(found.occasion, found.id, found.next_at, since),
    )
    return Kept.OPENED


def _ts(found: Appointment) -> MessageTs:
    """The time that came as Slack would name a message; the fraction is its own, lest two share one."""
    return MessageTs(f"{int(found.next_at.timestamp())}.{found.id.int % 1_000_000:06}")


async def _is_over(session: AsyncSession, tenant: Tenant, found: Appointment) -> bool:
    channel = await session.get(SlackChannel, (tenant.id, found.channel))
    owner = await session.get(SlackUser, (tenant.id, found.owner))
    if channel is None or channel.is_archived or owner is None or owner.is_deleted:
        return True
    if channel.kind == ChannelKind.DIRECT or channel.members_read_at is None:
        return False
    wanted = {found.owner} | ({tenant.bot_user} if tenant.bot_user else set())
    inside = select(SlackMember.user_id).where(SlackMember.channel_id == found.channel, SlackMember.user_id.in_(wanted))
    return set(await session.scalars(inside)) != wanted


async def _was_said(session: AsyncSession, found: Appointment, since: datetime) -> bool:
    """Whether there is anything to tell of the period, in a channel of which it is known who reads it."""
    readers_known = select(SlackChannel.channel_id).where(
        SlackChannel.channel_id == found.channel, SlackChannel.members_read_at.is_not(None)
    )
    if await session.scalar(readers_known) is None:
        return False
    return await catalogue.holds(session, Period(found.channel, since, found.next_at))
