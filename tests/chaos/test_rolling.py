"""Processes that are told to stop under load: what they hand on, what they finish, and what nobody does twice."""

from __future__ import annotations

import asyncio
import signal
import statistics
import time
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from athenaeum.database.connection import DatabaseConnection
from support.anthropic_server import Request, Says
from support.asked import answer_by_number
from support.event_worker import entries
from support.events import Queue, listening, until
from support.fleet import Fleet
from support.town import BeginTown
from support.zygote import Forked, Zygote

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]


class Pools:
    """Bare pools in processes of their own, on one queue, with one log."""

    def __init__(self, fleet: Fleet, queue: Queue, log: Path) -> None:
        self.fleet = fleet
        self.queue = queue
        self._log = log

    def hire(self, *, work: float, drain: float) -> Forked:
        """A pool whose events take `work` seconds, with a lease that nothing here outlasts."""
        pool = self.fleet.hire("pool", self.queue.database.url, str(self._log), str(work), "60", str(drain))
        self.fleet.crew.setdefault("pool", []).append(pool)
        return pool

    def begun(self, pool: Forked) -> list[float]:
        """When it began each of its events."""
        return [entry.at for entry in entries(self._log, "begin") if entry.pid == pool.pid]

    def times(self, said: str) -> Counter[int]:
        """How often each event was begun or ended."""
        return Counter(entry.n for entry in entries(self._log, said))


@pytest.fixture
async def pools(database_url: str, zygote: Zygote, tmp_path: Path) -> AsyncGenerator[Pools]:
    fleet = Fleet(zygote, {"ATHENAEUM_HOME": str(tmp_path)}, tmp_path)
    async with DatabaseConnection(database_url) as database, Queue(database) as queue:
        yield Pools(fleet, queue, tmp_path / "log")
    for pool in fleet.crew.get("pool", []):
        pool.kill()
        await pool.ended()


async def test_unfinished_work_is_handed_on_within_a_second(pools: Pools) -> None:
    for n in range(5):
        await pools.queue.put(n)
    holder = pools.hire(work=600, drain=0)
    waits: list[float] = []
    for _ in range(3):
        await until(lambda holder=holder: len(pools.begun(holder)) == 5)
        heir = pools.hire(work=600, drain=0)
        await listening(pools.queue, 2)
        told = time.monotonic()
        pools.fleet.dismiss("pool", holder, signal.SIGTERM)
        await until(lambda heir=heir: len(pools.begun(heir)) == 5)
        await holder.ended()
        waits.append(max(pools.begun(heir)) - told)
        holder = heir
    print(f"seconds from SIGTERM until all of it was begun by another process: {waits}")
    assert statistics.median(waits) < 1
    assert await pools.queue.sql("SELECT DISTINCT attempt, error FROM queued_events") == [(1, None)]


async def test_pools_that_take_turns_under_load_redo_nothing_and_let_no_lease_run_out(pools: Pools) -> None:
    members = [pools.hire(work=0.05, drain=0.02) for _ in range(3)]
    await listening(pools.queue, 3)
    feeding = asyncio.create_task(feed(pools.queue, 600))
    for member in members:
        await until(lambda member=member: len(pools.begun(member)) > 20)
        pools.hire(work=0.05, drain=0.02)
        pools.fleet.dismiss("pool", member, signal.SIGTERM)
        await member.ended()
    await feeding

    async def all_completed() -> bool:
        return (await pools.queue.stats())["completed"] == 600

    await until(all_completed, seconds=60)
    assert pools.times("end") == Counter(range(600)), "finished work was done again"
    assert await pools.queue.sql("SELECT DISTINCT attempt, error FROM finished_events") == [(1, None)]


async def feed(queue: Queue, events: int) -> None:
    """Enqueue one after the other, half of them in order by key."""
    for n in range(events):
        await queue.put(n, ordering_key=f"key-{n % 40}" if n % 2 else None)


def answer_slowly(request: Request) -> Says:
    """The right answer, over about half a second."""
    return Says(answer_by_number(request).text, pace=0.04)


async def test_a_rolling_restart_of_everything_loses_nothing_and_redoes_nothing(
    begin_town: BeginTown, storm: bool
) -> None:
    # A lease that nothing here outlasts: who had to wait for one to run out would not be answered in time.
    async with begin_town({"WORKER_POOL_SIZE": "3", "EVENT_VISIBILITY_TIMEOUT": "600"}) as town:
        town.model.reply = answer_slowly
        await town.open(workers=10 if storm else 4, gateways=3)
        async with asyncio.TaskGroup() as group:
            talking = group.create_task(town.crowd.converse(1_000_000, threads=20, pace=0.5))
            for role, crew in [*town.fleet.crew.items()]:
                for member in [*crew]:
                    await town.fleet.relieve(role, member)
            talking.cancel()
        faults = await town.judge(seconds=60)
        spent, asked = await town.spent(), len(town.crowd.asked)
        print(f"{len(town.fleet.dismissed) // 2} processes replaced during {asked} turns: {spent}")
        assert not faults, faults
        assert (spent.repeats, spent.rescued) == (0, 0)
        assert len(town.model.requests) == asked, "a model request was made again"
