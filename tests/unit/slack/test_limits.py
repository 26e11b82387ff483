from __future__ import annotations

from datetime import timedelta

import pytest

from athenaeum.slack.limits import Limits


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_closed_method_opens_when_its_time_has_passed(clock: Clock) -> None:
    limits = Limits(clock)
    limits.close("chat.update", timedelta(seconds=3))
    clock.now += 1
    assert limits.pause("chat.update") == timedelta(seconds=2)
    assert limits.pause("chat.postMessage") == timedelta(0)
    clock.now += 2
    assert limits.pause("chat.update") == timedelta(0)


def test_a_shorter_limit_does_not_shorten_a_longer_one(clock: Clock) -> None:
    limits = Limits(clock)
    limits.close("chat.update", timedelta(seconds=30))
    limits.close("chat.update", timedelta(seconds=1))
    assert limits.pause("chat.update") == timedelta(seconds=30)


def test_cosmetic_updates_stay_below_slacks_fifty_a_minute(clock: Clock) -> None:
    limits = Limits(clock)
    spent = 0
    for _ in range(600):
        spent += limits.spare_update()
        clock.now += 0.2
    assert 80 <= spent <= 90


def test_a_closed_method_spares_no_update(clock: Clock) -> None:
    limits = Limits(clock)
    limits.close("chat.update", timedelta(seconds=3))
    assert not limits.spare_update()


def test_appends_to_streams_stay_below_slacks_hundred_a_minute(clock: Clock) -> None:
    limits = Limits(clock)
    spent = 0
    for _ in range(600):
        spent += limits.spare_append()
        clock.now += 0.1
    assert 80 <= spent <= 90
    limits.close("chat.appendStream", timedelta(seconds=3))
    clock.now += 2
    assert not limits.spare_append()
