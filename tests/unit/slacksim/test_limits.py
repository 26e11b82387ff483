from __future__ import annotations

import pytest

from slacksim.errors import SlackError
from slacksim.limits import Limits


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_limited_until_limits_are_switched_on() -> None:
    limits = Limits(Clock())
    for _ in range(1000):
        limits.check("team.info", 1, "")


def test_a_tier_two_method_is_refused_after_twenty_calls_a_minute() -> None:
    clock = Clock()
    limits = Limits(clock)
    limits.configure(enabled=True)
    for _ in range(20):
        limits.check("users.list", 2, "")
    clock.now += 15
    with pytest.raises(SlackError) as refused:
        limits.check("users.list", 2, "")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "45")


def test_calls_are_allowed_again_after_the_time_to_wait() -> None:
    clock = Clock()
    limits = Limits(clock)
    limits.configure(enabled=True, overrides={"conversations.history": 1})
    limits.check("conversations.history", 3, "")
    clock.now += 60
    limits.check("conversations.history", 3, "")


def test_posting_is_limited_in_each_channel_by_itself() -> None:
    limits = Limits(Clock())
    limits.configure(enabled=True)
    for _ in range(5):
        limits.check("chat.postMessage", 3, "C1")
    limits.check("chat.postMessage", 3, "C2")
    with pytest.raises(SlackError, match="ratelimited"):
        limits.check("chat.postMessage", 3, "C1")
