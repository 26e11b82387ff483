"""Moments by the clock on a wall, through spring and autumn."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from athenaeum.conversations.appointments.rhythm import Delay, Every, Once, When, first, following, preceding

BERLIN = ZoneInfo("Europe/Berlin")
APIA = ZoneInfo("Pacific/Apia")
DAILY = Every(frozenset(range(7)), time(9))
WORKING = Every(frozenset(range(5)), time(9))


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("every", "zone", "after", "then"),
    [
        (DAILY, BERLIN, "2026-03-28T08:00", "2026-03-29T07:00"),  # the clock springs forward in the night
        (DAILY, BERLIN, "2026-10-24T07:00", "2026-10-25T08:00"),  # and falls back
        (WORKING, BERLIN, "2026-11-20T08:00", "2026-11-23T08:00"),  # from Friday to Monday
        (WORKING, BERLIN, "2026-11-20T07:59", "2026-11-20T08:00"),
        (Every(frozenset(range(7)), time(2, 30)), BERLIN, "2026-03-28T12:00", "2026-03-29T01:30"),  # there is no 02:30
        (Every(frozenset(range(7)), time(2, 30)), BERLIN, "2026-10-25T00:00", "2026-10-25T00:30"),  # there are two
        (Every(frozenset(range(7)), time(2, 30)), BERLIN, "2026-10-25T00:30", "2026-10-26T01:30"),  # the first counts
    ],
)
def test_a_rhythm_keeps_the_time_on_the_wall(every: Every, zone: ZoneInfo, after: str, then: str) -> None:
    assert following(every, after=at(after), zone=zone) == at(then)


def test_a_day_that_a_zone_has_skipped_is_no_end() -> None:
    fridays = Every(frozenset({4}), time(9))  # Samoa went from Thursday, 29 December 2011, to Saturday

    assert following(fridays, after=at("2011-12-29T20:00"), zone=APIA) > at("2011-12-29T20:00")


def test_before_a_moment_comes_the_last_one() -> None:
    assert preceding(WORKING, before=at("2026-11-23T08:00"), zone=BERLIN) == at("2026-11-20T08:00")


@pytest.mark.parametrize(
    ("when", "then"),
    [
        (Delay(timedelta(minutes=20)), "2026-11-20T12:20"),
        (Once(time(18)), "2026-11-20T17:00"),
        (Once(time(9)), "2026-11-21T08:00"),  # it is past nine
        (Once(time(9), days_ahead=1), "2026-11-21T08:00"),
        (Once(time(9), day=4), "2026-11-27T08:00"),  # today is Friday, and it is past nine
        (Once(time(9), day=date(2026, 12, 24)), "2026-12-24T08:00"),
        (Once(time(9), days_ahead=0), None),
        (Once(time(9), day=date(2020, 1, 1)), None),
    ],
)
def test_what_is_said_once_is_in_the_future(when: When, then: str | None) -> None:
    assert first(when, now=at("2026-11-20T12:00"), zone=BERLIN) == (None if then is None else at(then))
