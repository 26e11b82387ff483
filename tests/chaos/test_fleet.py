"""Many processes on one database: who gets how much."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.events import enqueue
from support import meter
from support.event_worker import entries
from support.events import Queue, listening, until
from support.fleet import Fleet
from support.town import BeginTown, Town
from support.zygote import Zygote

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]

PROCESSES = 10
EVENTS = 2000
IDLE_SECONDS = 3
EVEN = 2
"""No process may have more than so many times an even share, nor less than that part of it."""


async def test_ten_processes_share_out_short_events_evenly(database_url: str, zygote: Zygote, tmp_path: Path) -> None:
    log = tmp_path / "log"
    fleet = Fleet(zygote, {"ATHENAEUM_HOME": str(tmp_path)}, tmp_path)
    async with DatabaseConnection(database_url) as database, Queue(database) as queue:
        fleet.crew["pool"] = [fleet.hire("pool", database_url, str(log), "0.01", "60", "10") for _ in range(PROCESSES)]
        await listening(queue, PROCESSES)
        async with database.session(DEFAULT_TENANT) as session:
            for n in range(EVENTS):
                await enqueue(session, NewEvent("test", {"n": n}, DEFAULT_TENANT))
        await until(lambda: len(entries(log, "end")) >= EVENTS, seconds=120)
        await fleet.disband()
    done = Counter(entry.pid for entry in entries(log, "end"))
    assert Counter(entry.n for entry in entries(log, "begin")) == Counter(range(EVENTS))
    shares = sorted(round(count * PROCESSES / EVENTS, 2) for count in done.values())
    print(f"{EVENTS} events, {PROCESSES} processes: even shares are 1, these were {shares}")
    assert len(done) == PROCESSES
    assert shares[0] >= 1 / EVEN
    assert shares[-1] <= EVEN


async def test_workers_and_gateways_share_out_questions_evenly(begin_town: BeginTown, storm: bool) -> None:
    workers, questions = (PROCESSES, 400) if storm else (4, 60)
    async with begin_town({"WORKER_POOL_SIZE": "2"}) as town:
        await town.open(workers=workers, gateways=3)
        await town.crowd.converse(workers, threads=workers)  # the first ones connect and prepare
        await town.rest(seconds=60)
        await town.filed(seconds=60)
        if storm:
            await _tell_costs(town, questions)
        await town.crowd.converse(questions, threads=4 * workers)
        await town.rest(seconds=60)
        faults = await town.judge(seconds=60)
        assert not faults, faults
        worked = await town.rows(
            "SELECT claimed_by, count(*)::int AS turns FROM finished_events WHERE kind = 'turn' GROUP BY claimed_by"
        )
        turns = sorted(row["turns"] * workers / len(town.crowd.asked) for row in worked)
        taken = Counter(delivery.attempts[-1].to for asked in town.crowd.asked for delivery in asked.deliveries)
        print(f"shares of {workers} workers: {turns}, envelopes of each gateway: {sorted(taken.values())}")
        assert len(turns) == workers
        assert turns[0] >= 1 / EVEN
        assert turns[-1] <= EVEN
        assert len(taken) == 3


async def _tell_costs(town: Town, questions: int) -> None:
    """Print what a quiet second, a turn and a message cost this fleet."""
    idle = meter.Span(town.server, town.fleet)
    await asyncio.sleep(IDLE_SECONDS)
    idle.end()
    busy = meter.Span(town.server, town.fleet)
    await town.crowd.converse(questions, threads=4 * len(town.fleet.crew["worker"]))
    await town.rest(seconds=60)
    busy.end()
    await town.filed(seconds=60)
    chat = meter.Span(town.server, town.fleet)
    for _ in range(10):
        town.crowd.chat(questions // 10)
        await town.filed(seconds=60)
    chat.end()
    print(f"the fleet holds {meter.sessions(town.server)} sessions")
    print(f"idle it costs in a second: {idle.cost() / idle.seconds}")
    print(f"a turn costs, beyond that: {busy.beyond(idle) / questions}")
    print(f"a message that is no question costs: {chat.beyond(idle) / questions}")
