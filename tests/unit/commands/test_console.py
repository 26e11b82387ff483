from __future__ import annotations

from datetime import timedelta

import pytest

from athenaeum.commands.console import duration


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(0), "0.0s"),
        (timedelta(seconds=59.94), "59.9s"),
        (timedelta(seconds=60), "1m"),
        (timedelta(seconds=3599.9), "59m 59s"),
        (timedelta(hours=1), "1h"),
        (timedelta(hours=2, minutes=5, seconds=59), "2h 5m"),
        (timedelta(days=1, minutes=59), "1d"),
        (timedelta(days=400, hours=10), "400d 10h"),
    ],
)
def test_a_time_is_said_by_its_two_largest_units(time: timedelta, said: str) -> None:
    assert duration(time) == said
