"""When something is to be said: by the clock on somebody's wall, whatever that clock does in spring and autumn.

A time that the clock skips in spring comes an hour later by that clock; one that it shows twice in autumn comes the
first time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_LONGEST_GAP = 15  # days looked at: a week, and a week more for a date that a zone has skipped


@dataclass(frozen=True, slots=True)
class Delay:
    """Once, so long from now."""

    delay: timedelta


@dataclass(frozen=True, slots=True)
class Once:
    """Once, on a day; without one on the next day on which it is that time."""

    at: time
    day: date | int | None = None
    """A date, or the next day of the week; Monday is 0."""
    days_ahead: int | None = None
    """0 is today."""


@dataclass(frozen=True, slots=True)
class Every:
    """On each of these days of the week; Monday is 0."""

    weekdays: frozenset[int]
    at: time


When = Delay | Once | Every


def first(when: When, *, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment after `now`, in UTC; None when there is none."""
    match when:
        case Delay(delay):
            return now + delay
        case Every():
            return following(when, after=now, zone=zone)
        case Once(at, day, ahead):
            today = now.astimezone(zone).date()
            if isinstance(day, int):
                return following(Every(frozenset({day}), at), after=now, zone=zone)
            if day is None and ahead is None:
                return following(Every(frozenset(range(7)), at), after=now, zone=zone)
            found = _moment(day or today + timedelta(days=ahead or 0), at, zone)
            return found if found > now else None


def following(every: Every, *, after: datetime, zone: ZoneInfo) -> datetime:
    """The next moment of a rhythm, in UTC."""
    day = after.astimezone(zone).date()
    return next(found for found in _moments(every, day, 1, zone) if found > after)


def preceding(every: Every, *, before: datetime, zone: ZoneInfo) -> datetime:
    """The last moment of a rhythm before this one, in UTC."""
    day = before.astimezone(zone).date()
    return next(found for found in _moments(every, day, -1, zone) if found < before)


def _moments(every: Every, day: date, step: int, zone: ZoneInfo) -> list[datetime]:
    days = [day + timedelta(days=step * count) for count in range(_LONGEST_GAP)]
    return [_moment(one, every.at, zone) for one in days if one.weekday() in every.weekdays]


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
