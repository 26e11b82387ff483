from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.embedded import EmbeddedPostgres
from support import event_worker
from support.events import Queue, listening, until
from support.zygote import Forked, Zygote

pytestmark = pytest.mark.chaos


class Fleet:
    """Workers in processes of their own, and the log they share."""

    def __init__(self, zygote: Zygote, folder: Path) -> None:
        self.log = folder / "log"
        self._zygote = zygote
        self._folder = folder
        self._workers: list[Forked] = []

    def hire(self, url: str, *, work: float = 0.0, lease: float = 60.0, drain: float = 10.0) -> Forked:
        worker = self._zygote.fork(
            "pool",
            {},
            arguments=[url, str(self.log), str(work), str(lease), str(drain)],
            log=self._folder / f"{len(self._workers)}.log",
            directory=self._folder,
        )
        self._workers.append(worker)
        return worker

    async def dismiss(self) -> None:
        for worker in self._workers:
            worker.kill()
            await worker.ended()

    def lines(self, word: str) -> list[tuple[int, int]]:
        """(event, pid) of each line that begins with the word."""
        return [(entry.n, entry.pid) for entry in event_worker.entries(self.log, word)]


@pytest_asyncio.fixture
async def fleet(zygote: Zygote, tmp_path: Path) -> AsyncGenerator[Fleet]:
    fleet = Fleet(zygote, tmp_path)
    yield fleet
    await fleet.dismiss()


async def test_many_workers_in_several_processes_process_each_event_once(events: Queue, fleet: Fleet) -> None:
    for _ in range(3):
        fleet.hire(events.database.url, work=0.01)
    await listening(events, 3)
    for n in range(300):
        await events.put(n, ordering_key=f"key-{n % 40}" if n % 2 else None)
    await until(lambda: len(fleet.lines("end")) == 300, seconds=60)
    assert Counter(n for n, _ in fleet.lines("begin")) == Counter(range(300))
    assert len({pid for _, pid in fleet.lines("begin")}) == 3


async def test_the_events_of_a_killed_worker_are_processed_by_another(events: Queue, fleet: Fleet) -> None:
    for n in range(5):
        await events.put(n)
    victim = fleet.hire(events.database.url, work=60, lease=2)
    await until(lambda: len(fleet.lines("begin")) == 5)
    victim.kill()
    await victim.ended()
    heir = fleet.hire(events.database.url, lease=2)
    await until(lambda: len(fleet.lines("end")) == 5)
    assert sorted(fleet.lines("end")) == [(n, heir.pid) for n in range(5)]


async def test_sigterm_hands_unfinished_work_to_another_long_before_its_lease_ends(events: Queue, fleet: Fleet) -> None:
    for n in range(5):
        await events.put(n)
    leaving = fleet.hire(events.database.url, work=60, drain=0.1)
    await until(lambda: len(fleet.lines("begin")) == 5)
    heir = fleet.hire(events.database.url)
    leaving.send(signal.SIGTERM)
    await asyncio.wait_for(leaving.ended(), 20)
    assert leaving.status == 0
    await until(lambda: len(fleet.lines("end")) == 5)
    assert {pid for _, pid in fleet.lines("end")} == {heir.pid}


async def test_sigterm_lets_work_finish_that_takes_less_than_the_drain_time(events: Queue, fleet: Fleet) -> None:
    for n in range(5):
        await events.put(n)
    leaving = fleet.hire(events.database.url, work=1)
    await until(lambda: len(fleet.lines("begin")) == 5)
    leaving.send(signal.SIGTERM)
    await asyncio.wait_for(leaving.ended(), 20)
    assert leaving.status == 0
    assert len(fleet.lines("end")) == 5
    assert await events.stats() == {"pending": 0, "processing": 0, "completed": 5, "failed": 0}


async def test_a_second_sigterm_cuts_the_drain_short(events: Queue, fleet: Fleet) -> None:
    await events.put()
    leaving = fleet.hire(events.database.url, work=60, drain=60)
    await until(lambda: len(fleet.lines("begin")) == 1)
    leaving.send(signal.SIGTERM)

    async def stopping() -> bool:
        # one that comes before the first was seen would be one and the same; after the end there is nobody to take it
        leaving.send(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(leaving.ended(), 0.2)
        return not leaving.running

    await until(stopping, seconds=20)
    assert len(await events.claim()) == 1


@pytest.fixture
def home() -> Generator[Path]:
    """Not under pytest's own folder, which another user may not enter: root's PostgreSQL runs as one."""
    with tempfile.TemporaryDirectory(prefix="athenaeum-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


async def test_a_restart_of_the_database_in_the_middle_loses_nothing(home: Path, fleet: Fleet) -> None:
    async with EmbeddedPostgres(home) as server, DatabaseConnection(server.url) as database:
        await database.create_tables()
        async with Queue(database) as events:
            for n in range(200):
                await events.put(n)
            for _ in range(2):
                fleet.hire(server.url, work=0.05)
            for milestone in (30, 80):
                await until(lambda milestone=milestone: len(fleet.lines("end")) >= milestone)
                postmaster = int((server.data_dir / "postmaster.pid").read_text().split()[0])
                os.kill(postmaster, signal.SIGQUIT)  # the server dies at once, as in a crash
                await until(lambda pid=postmaster: not Path(f"/proc/{pid}").exists())
                await server.ensure()
            await until(lambda: {n for n, _ in fleet.lines("end")} == set(range(200)), seconds=60)

            async def all_completed() -> bool:
                return (await events.stats())["completed"] == 200

            await until(all_completed)
        await fleet.dismiss()
