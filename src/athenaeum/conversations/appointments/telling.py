"""Times and rhythms as people say them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from athenaeum.conversations.appointments.rhythm import Every

_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WORKING = frozenset(range(5))


def told_moment(moment: datetime, zone: ZoneInfo) -> str:
    """A moment on somebody's wall: `Monday, 23 November at 09:00 (Europe/Berlin)`."""
    return f"{moment.astimezone(zone):%A, %-d %B at %H:%M} ({zone.key})"


def told_rhythm(every: Every) -> str:
    """A rhythm: `every weekday at 09:00`."""
    if len(every.weekdays) == len(_NAMES):
        days = "day"
    elif every.weekdays == _WORKING:
        days = "weekday"
    else:
        days = ", ".join(_NAMES[day] for day in sorted(every.weekdays))
    return f"every {days} at {every.at:%H:%M}"
