from __future__ import annotations

from datetime import timedelta

from athenaeum.gateway.turnstile import Turnstile
from athenaeum.tenants.limits import Rate


def test_so_many_go_through_at_once_and_one_more_as_each_interval_ends() -> None:
    now = 100.0
    turnstile = Turnstile(Rate.per_minute(3), clock=lambda: now)

    assert [turnstile.wait() for _ in range(4)] == [None, None, None, timedelta(seconds=20)]
    now += 19
    assert turnstile.wait() == timedelta(seconds=1)
    now += 1
    assert [turnstile.wait(), turnstile.wait()] == [None, timedelta(seconds=20)]
    now += 600
    assert [turnstile.wait() for _ in range(4)][-1] == timedelta(seconds=20)
