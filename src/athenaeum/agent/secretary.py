"""Digests and reminders: makes, lists and ends them, and says a reminder when its time has come. It needs no model."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from athenaeum.conversations.appointments import book
from athenaeum.conversations.appointments.book import Appointment
from athenaeum.conversations.appointments.rhythm import Every, first
from athenaeum.conversations.appointments.telling import told_moment, told_rhythm
from athenaeum.conversations.appointments.wording import (
    CancelReminder,
    DigestWish,
    PlainWish,
    ReminderWish,
    Wish,
    read_wish,
)
from athenaeum.conversations.archive import people
from athenaeum.conversations.archive.mrkdwn import mentioned, plain
from athenaeum.domain.channel import ChannelKind, Surface
from athenaeum.domain.identity import AppointmentId
from athenaeum.domain.turn import Answer, Occasion, Question, Summons

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection

_LATE = timedelta(minutes=10)
_ONLY_SLACK = "Digests and reminders are for Slack: ask me there."
_NO_CHANNEL = "A digest sums up a channel: ask me for it there."
_NOT_YOURS = "{owner} asked for the digest of this channel: only they and the workspace's admins can change it."
_NO_DIGEST = "There is no digest of this channel. Say for example `digest every weekday at 9:00` to have one."
_ENDED = "There are no more digests of this channel."
_TOO_MANY = f"You have {book.MOST} reminders, and I keep no more: `reminders` shows them."
_OVER = "That time is over."
_NO_REMINDER = "You have no reminder with this number: `reminders` shows those that you have."
_NO_REMINDERS = "You have no reminders here. Say for example `remind me tomorrow at 9:00 to look at the graphs`."
_CANCELLED = "I will not remind you of that."
_UNCLEAR = {
    PlainWish.UNCLEAR_DIGEST: (
        "I did not understand when. Say for example `digest every weekday at 9:00`, `digest daily at 17:30` or"
        " `digest weekly on Monday at 9am`."
    ),
    PlainWish.UNCLEAR_REMINDER: (
        "I did not understand when. Say for example `remind me in 20 minutes to call Ben`, `remind me to call Ben"
        " tomorrow at 9:00` or `remind me every Friday at 16:00 to write the report`."
    ),
}


class Secretary:
    """Answers what is about digests and reminders. An answer that is made again changes nothing more."""

    def __init__(self, database: DatabaseConnection) -> None:
        """`database` gives sessions of the question's tenant."""
        self._database = database

    async def answer(self, question: Question) -> Answer | None:
        """The answer, or None where the question is about something else."""
        if question.summons is not None:
            return _remind(question, question.summons)
        wish = read_wish(question.text)
        if wish is None:
            return None
        if question.surface is not Surface.SLACK:
            return Answer(_ONLY_SLACK)
        async with self._database.session(question.tenant) as session:
            return Answer(await _Wishing(session, question).do(wish))


class _Wishing:
    """One wish, in its transaction."""

    def __init__(self, session: AsyncSession, question: Question) -> None:
        self._session = session
        self._question = question
        self._here = question.place.id
        self._own = AppointmentId(question.turn)

    async def do(self, wish: Wish) -> str:
        match wish:
            case DigestWish(every):
                said = await self._digest(every)
            case ReminderWish():
                said = await self._reminder(wish)
            case CancelReminder(number):
                said = await self._cancel(number)
            case PlainWish.SHOW_DIGEST:
                standing = await self._standing()
                said = _NO_DIGEST if standing is None else _told(standing)
            case PlainWish.NO_DIGEST:
                said = await self._end_digest()
            case PlainWish.SHOW_REMINDERS:
                said = await self._list()
            case PlainWish.UNCLEAR_DIGEST | PlainWish.UNCLEAR_REMINDER:
                said = _UNCLEAR[wish]
        return said

    async def _digest(self, every: Every) -> str:
        if self._question.place.kind is ChannelKind.DIRECT:
            return _NO_CHANNEL
        standing = await self._standing()
        if standing is not None and not await book.may_end(self._session, standing, self._question.asker):
            return await self._not_yours(standing)
        zone = await book.zone_of(self._session, self._question.asker)
        next_at = first(every, now=await book.database_now(self._session), zone=zone)
        assert next_at is not None  # a rhythm goes on
        wanted = Appointment(
            id=self._own,
            occasion=Occasion.DIGEST,
            channel=self._here,
            thread_ts=None,
            owner=self._question.asker,
            words="",
            every=every,
            zone=zone,
            next_at=next_at,
        )
        return _told(await book.enter(self._session, self._question.tenant, wanted))

    async def _reminder(self, wish: ReminderWish) -> str:
        zone = await book.zone_of(self._session, self._question.asker)
        next_at = first(wish.when, now=await book.database_now(self._session), zone=zone)
        if next_at is None:
            return _OVER
        known = await book.listed(self._session, owner=self._question.asker, occasion=Occasion.REMINDER)
        if len([one for one in known if one.id != self._own]) >= book.MOST:
            return _TOO_MANY
        names = await people.names(self._session, mentioned([wish.words]))
        wanted = Appointment(
            id=self._own,
            occasion=Occasion.REMINDER,
            channel=self._here,
            thread_ts=self._question.thread_ts,
            owner=self._question.asker,
            words=plain(wish.words, names),
            every=wish.when if isinstance(wish.when, Every) else None,
            zone=zone,
            next_at=next_at,
        )
        entered = await book.enter(self._session, self._question.tenant, wanted)
        return f"I will remind you here, {_when(entered)}. `cancel reminder {entered.number}` ends it."

    async def _cancel(self, number: int) -> str:
        found = await book.numbered(self._session, number)
        if found is None or found.occasion is not Occasion.REMINDER or found.owner != self._question.asker:
            return _NO_REMINDER
        await book.end(self._session, self._question.tenant, found.id)
        return _CANCELLED

    async def _end_digest(self) -> str:
        standing = await self._standing()
        if standing is None:
            return _NO_DIGEST
        if not await book.may_end(self._session, standing, self._question.asker):
            return await self._not_yours(standing)
        await book.end(self._session, self._question.tenant, standing.id)
        return _ENDED

    async def _list(self) -> str:
        """In a direct message all of theirs; elsewhere what was asked for there, since others read along."""
        here = None if self._question.place.kind is ChannelKind.DIRECT else self._here
        found = await book.listed(self._session, channel=here, owner=self._question.asker, occasion=Occasion.REMINDER)
        return "\n".join(f"- {one.number}: {_when(one)}: {one.words}" for one in found) or _NO_REMINDERS

    async def _standing(self) -> Appointment | None:
        found = await book.listed(self._session, channel=self._here, occasion=Occasion.DIGEST)
        return found[0] if found else None

    async def _not_yours(self, standing: Appointment) -> str:
        names = await people.names(self._session, [standing.owner])
        return _NOT_YOURS.format(owner=names.get(standing.owner, "Somebody else"))


def _told(digest: Appointment) -> str:
    assert digest.every is not None  # digests have a rhythm
    return (
        f"I sum up this channel {told_rhythm(digest.every)}, next on {told_moment(digest.next_at, digest.zone)}, and"
        " say nothing when nothing was said. `digest off` ends it."
    )


def _when(reminder: Appointment) -> str:
    when = told_moment(reminder.next_at, reminder.zone)
    return f"{told_rhythm(reminder.every)}, next on {when}" if reminder.every else f"on {when}"


def _remind(question: Question, summons: Summons) -> Answer | None:
    if summons.occasion is not Occasion.REMINDER:
        return None
    due = summons.due
    late = f" It was due at {due:%H:%M} UTC on {due:%-d %B}." if question.asked_at - due > _LATE else ""
    quoted = "\n".join(f"> {line}" for line in question.text.splitlines())
    return Answer(f"{question.asker_name}, you wanted to be reminded:{late}\n\n{quoted}")
