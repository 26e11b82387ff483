"""The digests and reminders that were asked for; the tenant is the session's.

Each has a schedule of the queue, under its own number, that brings it up when it is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.conversations.appointments.rhythm import Every
from athenaeum.database import models
from athenaeum.domain.identity import AppointmentId, ChannelId, MessageTs, TenantId, UserId
from athenaeum.domain.turn import Occasion
from athenaeum.errors import LeaseLost
from athenaeum.events.schedules import Schedule, schedule, unschedule

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.turns import Turn

APPOINTMENT = "appointment"
"""The kind of event that brings one up; its payload is `{"appointment": id}`."""
MOST = 25
"""Reminders that one person may have."""

_ROW = models.Appointment
_AGAIN = timedelta(days=1)  # between moments that nobody kept; one that is kept says when the next is


@dataclass(frozen=True, slots=True)
class Appointment:
    """One of them. A digest stands in the channel, a reminder in the thread in which it was asked for."""

    id: AppointmentId
    occasion: Occasion
    channel: ChannelId
    thread_ts: MessageTs | None
    owner: UserId
    words: str
    """Of a reminder."""
    every: Every | None
    """None: once."""
    zone: ZoneInfo
    next_at: datetime
    since: datetime | None = None
    """Where the last digest ended."""
    number: int = 0
    """By which people name it; 0 before it is in the book."""


async def enter(session: AsyncSession, tenant: TenantId, wanted: Appointment) -> Appointment:
    """Keep it from now on. Entered again it stays as it was; a digest takes the place of its channel's last one.

    Raises:
        LeaseLost: The turn that asks for it was stopped, or what was asked is deleted.
    """
    asked = select(models.Turn.stopped_by, models.Turn.state).where(models.Turn.turn_id == wanted.id)
    turn = (await session.execute(asked.with_for_update(read=True))).one_or_none()
    if turn is not None and (turn.stopped_by is not None or turn.state == "cancelled"):
        raise LeaseLost(f"turn {wanted.id} asks for nothing any more")
    if wanted.occasion is Occasion.DIGEST:
        for other in await listed(session, channel=wanted.channel, occasion=Occasion.DIGEST):
            if other.id != wanted.id:
                await end(session, tenant, other.id)
    row: dict[str, Any] = {
        "tenant_id": tenant,
        "appointment_id": wanted.id,
        "kind": wanted.occasion.value,
        "channel_id": wanted.channel,
        "thread_ts": wanted.thread_ts,
        "owner_id": wanted.owner,
        "words": wanted.words,
        "weekdays": None if wanted.every is None else sorted(wanted.every.weekdays),
        "at": None if wanted.every is None else wanted.every.at,
        "time_zone": wanted.zone.key,
        "next_at": wanted.next_at,
        "since": wanted.since,
    }
    entered = await session.scalar(insert(_ROW).values(row).on_conflict_do_nothing().returning(_ROW))
    if entered is not None:
        await bring_up(session, tenant, wanted.id, at=wanted.next_at)
        return read_row(entered)
    [found] = await _select(session, _ROW.appointment_id == wanted.id)
    return found


async def bring_up(session: AsyncSession, tenant: TenantId, appointment: AppointmentId, *, at: datetime) -> None:
    """Have its event enqueued at that moment."""
    payload = {"appointment": str(appointment)}
    await schedule(session, Schedule(_name(appointment), APPOINTMENT, payload, tenant, _AGAIN, next_at=at))


async def move(session: AsyncSession, tenant: TenantId, kept: Appointment) -> None:
    """Note when the next time is, and up to when was told."""
    row = update(_ROW).where(_ROW.appointment_id == kept.id).values(next_at=kept.next_at, since=kept.since)
    await session.execute(row)
    await bring_up(session, tenant, kept.id, at=kept.next_at)


async def end(session: AsyncSession, tenant: TenantId, appointment: AppointmentId) -> bool:
    """Keep it no more; False when it was not kept."""
    ended = delete(_ROW).where(_ROW.appointment_id == appointment).returning(_ROW.number)
    gone = await session.scalar(ended)
    await unschedule(session, tenant, _name(appointment))
    return gone is not None


async def end_of_channel(session: AsyncSession, tenant: TenantId, channel: ChannelId, *, before: datetime) -> None:
    """Keep nothing more of what was asked for in a channel before this moment."""
    for found in await _select(session, _ROW.channel_id == channel, _ROW.made_at < before):
        await end(session, tenant, found.id)


async def withdraw(session: AsyncSession, tenant: TenantId, channel: ChannelId, ts: MessageTs) -> None:
    """Keep nothing of what a message asked for that was deleted, also where its channel had another id then."""
    asked = select(models.Turn.turn_id).where(models.Turn.channel_id == channel, models.Turn.message_ts == ts)
    for turn in (await session.scalars(asked)).all():
        await end(session, tenant, AppointmentId(turn))


async def of_turn(session: AsyncSession, turn: Turn) -> Appointment | None:
    """What was asked for in this turn, or opened it, as far as it is kept still."""
    ids = [turn.id] if turn.summons is None else [turn.summons.appointment]
    return next(iter(await _select(session, _ROW.appointment_id.in_(ids))), None)


async def find(session: AsyncSession, appointment: AppointmentId) -> Appointment | None:
    """The appointment, its row locked."""
    row = await session.scalar(select(_ROW).where(_ROW.appointment_id == appointment).with_for_update())
    return None if row is None else read_row(row)


async def numbered(session: AsyncSession, number: int) -> Appointment | None:
    """The appointment with this number."""
    return next(iter(await _select(session, _ROW.number == number)), None)


async def listed(
    session: AsyncSession,
    *,
    channel: ChannelId | None = None,
    owner: UserId | None = None,
    occasion: Occasion | None = None,
) -> list[Appointment]:
    """Those of a channel, a person, an occasion, or all of them; the next one first."""
    wanted: list[ColumnElement[bool]] = []
    if channel is not None:
        wanted.append(_ROW.channel_id == channel)
    if owner is not None:
        wanted.append(_ROW.owner_id == owner)
    if occasion is not None:
        wanted.append(_ROW.kind == occasion.value)
    return await _select(session, *wanted)


async def may_end(session: AsyncSession, found: Appointment, user: UserId) -> bool:
    """Whether it is theirs, or they are an admin of the workspace."""
    admin = select(models.SlackUser.is_admin).where(models.SlackUser.user_id == user)
    return user == found.owner or bool(await session.scalar(admin))


async def zone_of(session: AsyncSession, user: UserId) -> ZoneInfo:
    """The time zone that somebody lives in; UTC where Slack does not say, or says what nobody knows."""
    name = await session.scalar(select(models.SlackUser.time_zone).where(models.SlackUser.user_id == user))
    return read_zone(name or "UTC") or ZoneInfo("UTC")


def read_zone(name: str) -> ZoneInfo | None:
    """The time zone of this name; None when there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError):  # no path, no zone, a folder of zones
        return None


async def database_now(session: AsyncSession) -> datetime:
    """The moment by the clock that decides what is due."""
    return (await session.execute(select(func.clock_timestamp()))).scalar_one()


def read_row(row: models.Appointment) -> Appointment:
    """An appointment from its row."""
    every = None if row.weekdays is None or row.at is None else Every(frozenset(row.weekdays), row.at)
    return Appointment(
        id=AppointmentId(row.appointment_id),
        occasion=Occasion(row.kind),
        channel=ChannelId(row.channel_id),
        thread_ts=None if row.thread_ts is None else MessageTs(row.thread_ts),
        owner=UserId(row.owner_id),
        words=row.words,
        every=every,
        zone=ZoneInfo(row.time_zone),
        next_at=row.next_at,
        since=row.since,
        number=row.number,
    )


async def _select(session: AsyncSession, *wanted: ColumnElement[bool]) -> list[Appointment]:
    rows = await session.scalars(select(_ROW).where(*wanted).order_by(_ROW.next_at, _ROW.number))
    return [read_row(row) for row in rows]


def _name(appointment: UUID) -> str:
    return f"{APPOINTMENT}:{appointment}"
