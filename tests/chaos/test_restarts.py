"""PostgreSQL is restarted again and again under load. `make soak`: 20 times during 10,000 turns."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import pytest

from support.events import until
from support.town import BeginTown

SOAK = os.environ.get("ATHENAEUM_SOAK", "") not in {"", "0"}

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(7200 if SOAK else 300)]


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked by how many at once, and how often the database is restarted meanwhile.

    Attributes:
        hastened: Whether turns that were interrupted are tried again at once; else after ten seconds, as they are.
    """

    turns: int
    talkers: int
    restarts: int
    hastened: bool

    @property
    def milestones(self) -> list[int]:
        """After how many answers each restart comes: evenly spread."""
        return [self.turns * n // (self.restarts + 1) for n in range(1, self.restarts + 1)]


LOAD = Load(10_000, talkers=24, restarts=20, hastened=False) if SOAK else Load(90, 12, 3, hastened=True)
LEASE = timedelta(minutes=10)
"""Longer than the test waits for anything: who has to wait for one to run out fails it."""


async def test_restarts_of_the_database_cost_no_answer_and_give_none_twice(begin_town: BeginTown) -> None:
    async with begin_town({"EVENT_VISIBILITY_TIMEOUT": f"{LEASE.total_seconds():.0f}"}) as town:
        await town.open(workers=3, gateways=1)
        crowd, began = town.crowd, monotonic()
        async with town.hastened() if LOAD.hastened else nullcontext(), asyncio.TaskGroup() as group:
            group.create_task(crowd.converse(LOAD.turns, threads=LOAD.talkers))
            for number, milestone in enumerate(LOAD.milestones):
                await until(lambda milestone=milestone: crowd.answered >= milestone, seconds=3600)
                # by turns as an operator does it, and as a power cut does
                await (town.outage.restart() if number % 2 == 0 else town.outage.crash())
        faults = await town.judge(seconds=120)
        elapsed, spent = monotonic() - began, await town.spent()
        print(f"{LOAD}: {LOAD.turns / elapsed:.1f} turns/s, {spent}")
        assert not faults, faults
        assert spent.rescued == 0, "a lease ran out: work that a restart had interrupted was forgotten by its worker"
