"""What people write to have a digest or a reminder; whatever is not exactly that is a question like any other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum

from athenaeum.conversations.appointments.rhythm import Delay, Every, Once, When

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {"minute": 1, "min": 1, "hour": 60, "day": 1440, "week": 10080}
_MORNING = time(9)
_NOON = time(12)
_LONGEST = timedelta(days=730)

_DAY_NAME = "|".join(_WEEKDAYS)
_CLOCK = r"(?P<noon>noon)|(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>am|pm)?"
_TIME = re.compile(rf"(?P<at>at )?(?:{_CLOCK})")
_DELAY = re.compile(r"in (?P<count>an?|\d{1,5}) (?P<unit>minute|min|hour|day|week)s?")
_RHYTHM = re.compile(
    rf"(?:every |each )?(?P<daily>day|daily)|(?:every |each )?(?P<working>weekdays?)"
    rf"|(?:every |each |weekly on )(?P<named>{_DAY_NAME})s?|(?P<plural>{_DAY_NAME})s"
)
_DAY = re.compile(
    rf"(?P<ahead>today|tomorrow)|(?:on |next )?(?P<named>{_DAY_NAME})|(?:on )?(?P<date>\d{{4}}-\d\d-\d\d)"
)
_REMIND = re.compile(r"remind (?:me|us) (?P<rest>.+)", re.IGNORECASE)
_MARKER = re.compile(r"(?::| (?:to|that|about|of)) ", re.IGNORECASE)
_MEANT = re.compile(r"to |in (?:an? |\d)|at \d|on |today|tomorrow|next |every ", re.IGNORECASE)
_CANCEL = re.compile(r"(?:cancel|delete) reminder #?(?P<number>\d{1,15})", re.IGNORECASE)
_DIGEST = re.compile(r"digest (?P<when>.+)", re.IGNORECASE)
_DIGEST_MEANT = re.compile(rf"(?:every|each|daily|weekly|weekdays?|at|{_DAY_NAME})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DigestWish:
    """A digest of the channel, in this rhythm."""

    every: Every


@dataclass(frozen=True, slots=True)
class ReminderWish:
    """These words, then."""

    when: When
    words: str


@dataclass(frozen=True, slots=True)
class CancelReminder:
    """No more of the reminder with this number."""

    number: int


class PlainWish(StrEnum):
    """What needs no more words."""

    SHOW_DIGEST = "digest"
    NO_DIGEST = "digest off"
    SHOW_REMINDERS = "reminders"
    UNCLEAR_DIGEST = "unclear digest"
    """It wants one, and it isn't clear when."""
    UNCLEAR_REMINDER = "unclear reminder"


_PLAIN = {
    "digest": PlainWish.SHOW_DIGEST,
    "digests": PlainWish.SHOW_DIGEST,
    "reminders": PlainWish.SHOW_REMINDERS,
    "my reminders": PlainWish.SHOW_REMINDERS,
    "digest off": PlainWish.NO_DIGEST,
    "stop digest": PlainWish.NO_DIGEST,
    "cancel digest": PlainWish.NO_DIGEST,
    "no digest": PlainWish.NO_DIGEST,
}

Wish = DigestWish | ReminderWish | CancelReminder | PlainWish


def read_wish(text: str) -> Wish | None:
    """What a message wants of digests and reminders; None when it speaks of something else."""
    text = " ".join(text.split())
    bare = re.sub(r"[\s.!…]+$", "", text)
    if plain := _PLAIN.get(bare.lower()):
        return plain
    if found := _CANCEL.fullmatch(bare):
        return CancelReminder(int(found["number"]))
    if found := _DIGEST.fullmatch(bare):
        return _digest(found["when"])
    if found := _REMIND.fullmatch(text):
        return _reminder(found["rest"])
    return None


def read_when(words: str) -> When | None:
    """The time that somebody names; None when it is none, or none that there is."""
    words = words.lower().strip()
    if found := _DELAY.fullmatch(words):
        count = 1 if found["count"].startswith("a") else int(found["count"])
        delay = timedelta(minutes=count * _UNITS[found["unit"]])
        return Delay(delay) if timedelta() < delay <= _LONGEST else None
    for day, clock in _splits(words):
        at = _MORNING if clock is None else _read_time(clock, alone=not day)
        if at is not None and (when := _on(day, at)) is not None:
            return when
    return None


def _digest(when: str) -> Wish | None:
    read = read_when(when)
    if isinstance(read, Every):
        return DigestWish(read)
    return PlainWish.UNCLEAR_DIGEST if _DIGEST_MEANT.match(when) else None


def _reminder(rest: str) -> Wish | None:
    """The time stands before the words, or at their end."""
    for marker in _MARKER.finditer(rest):
        when, words = read_when(rest[: marker.start()]), rest[marker.end() :]
        if when is not None and words:
            return ReminderWish(when, words)
    said = re.sub(r"[\s.!…]+$", "", rest)
    for space in re.finditer(" ", said):
        when = read_when(said[space.end() :])
        if when is not None and (words := said[: space.start()].removeprefix("to ")) != "to":
            return ReminderWish(when, words)
    return PlainWish.UNCLEAR_REMINDER if _MEANT.match(rest) else None


def _splits(words: str) -> Iterator[tuple[str, str | None]]:
    """The ways to read words as a day and a time, in either order; either may be missing."""
    yield words, None
    yield "", words
    for space in re.finditer(" ", words):
        before, after = words[: space.start()], words[space.end() :]
        yield before, after
        yield after, before


def _read_time(words: str, *, alone: bool) -> time | None:
    """The time of day; a number `alone` is one only where something says so."""
    found = _TIME.fullmatch(words)
    if found is None:
        return None
    if found["noon"]:
        return _NOON
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"]
    if alone and not (found["at"] or found["minute"] or half):
        return None
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "pm") if half else hour
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _on(day: str, at: time) -> When | None:
    if not day:
        return Once(at)
    if found := _RHYTHM.fullmatch(day):
        name = found["named"] or found["plural"]
        days = {_WEEKDAYS.index(name)} if name else set(range(5 if found["working"] else 7))
        return Every(frozenset(days), at)
    found = _DAY.fullmatch(day)
    return None if found is None else _single(found, at)


def _single(found: re.Match[str], at: time) -> Once | None:
    if found["ahead"]:
        return Once(at, days_ahead=int(found["ahead"] == "tomorrow"))
    if found["named"]:
        return Once(at, day=_WEEKDAYS.index(found["named"]))
    try:
        return Once(at, day=date.fromisoformat(found["date"]))
    except ValueError:
        return None
