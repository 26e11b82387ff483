from __future__ import annotations

import pytest

from athenaeum.worker.statistics import Workload


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def _measured(*, size: int, seconds: float) -> tuple[Workload, Clock]:
    clock = Clock()
    load = Workload(size, clock)
    load.begin()
    _run(load, clock, seconds)
    return load, clock


def _run(load: Workload, clock: Clock, seconds: float) -> None:
    began = load.take()
    clock.now += seconds
    load.give_back(began)


def test_no_more_is_claimed_than_there_are_workers_until_it_is_known_how_long_work_takes() -> None:
    assert Workload(10).room(waiting=0, held=0) == 10


@pytest.mark.parametrize(("seconds", "room"), [(0.0, 35), (0.005, 20), (0.5, 10), (30, 10)])
def test_what_is_done_at_once_is_claimed_ahead(seconds: float, room: int) -> None:
    load, _ = _measured(size=10, seconds=seconds)
    assert load.room(waiting=0, held=0) == room


def test_one_slow_event_ends_claiming_ahead() -> None:
    load, clock = _measured(size=10, seconds=0)
    _run(load, clock, 1)
    assert load.room(waiting=0, held=0) == 10


def test_a_few_at_a_time_are_not_claimed_while_many_wait() -> None:
    load, _ = _measured(size=10, seconds=0)
    assert load.room(waiting=25, held=25) == 0
    assert load.wanted
    assert load.room(waiting=10, held=10) == 25


def test_what_is_not_settled_yet_bounds_what_is_claimed() -> None:
    assert Workload(10).room(waiting=0, held=38) == 2
    assert Workload(10).room(waiting=0, held=40) == 0


def test_the_share_of_time_spent_working_counts_all_workers() -> None:
    load, clock = _measured(size=2, seconds=3)
    clock.now += 1
    assert load.utilisation == pytest.approx(3 / 8)
