"""Clocks that are wrong, jump or run at another speed: of workers, and of the database, which decides about leases."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from athenaeum.database.embedded import EmbeddedPostgres, postmaster
from athenaeum.database.migrate import migrate
from slacksim.model import Message
from support import verdict
from support import zygote as program
from support.anthropic_server import Stalls
from support.database import PostgresServer
from support.lanes import each
from support.life import Life
from support.ordeal import BeginOrdeal, Ordeal, ordeal
from support.record import DEADLINE_SECONDS
from support.trials import PLAIN, SHORT_LEASES
from support.zygote import Zygote

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

RIGHT = "+0"
AHEAD, BEHIND = "+2h", "-3d"
FAST, SLOW = "+0 x4", "+0 x0.2"
"""A slow worker's heartbeat comes when its lease has run out already."""
BACK, ON = "-1h", "+1h"


def _watch(file: Path) -> dict[str, str]:
    """What has a process take its time, of both clocks, from a file at every look."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        pytest.skip("faketime is not installed")
    return {"LD_PRELOAD": str(libraries[0]), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1"}


class Watchmaker(Zygote):
    """Forks processes that each have a watch of their own."""

    def __enter__(self) -> Self:
        environment = {**os.environ, **_watch(Path("/nowhere"))}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, program.__file__], stdin=pipe, stdout=pipe, env=environment)
        return self


@pytest.fixture(scope="module")
def zygote() -> Generator[Zygote]:
    """In place of the one whose processes have the right time."""
    with Watchmaker() as running:
        yield running


@asynccontextmanager
async def _alive(world: Ordeal, time: str) -> AsyncGenerator[tuple[Life, Path]]:
    """A worker with a clock that can be set by writing to the file."""
    file = world.home / f"clock-{len(world.lives)}"
    file.write_text(time, encoding="utf-8")
    world.trial = replace(world.trial, environment={**world.trial.environment, **_watch(file)})
    async with world.alive() as life:
        yield life, file


async def _asked(world: Ordeal) -> None:
    """Wait until a worker waits for the model."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        await world.model.arrived.wait()


async def _over(world: Ordeal, life: Life, asked: Message) -> str:
    """Wait until nothing is left to do; what people see wrong then. That a step was made again is no fault here."""
    try:
        async with asyncio.timeout(2 * DEADLINE_SECONDS):
            await world.over(life)
    except TimeoutError:
        return world.account("it was not over in time")
    posted = world.sim.simulation.calls.of("chat.postMessage")
    faults = [
        *verdict.in_workspace(world.trial, world.sim.world, asked),
        *verdict.in_posting(world.trial, posted, frozen=0),
    ]
    return world.account("; ".join(faults)) if faults else ""


@pytest.mark.parametrize(("one", "other"), [(AHEAD, BEHIND), (FAST, SLOW)], ids=["wrong", "fast and slow"])
async def test_workers_whose_clocks_differ_answer_once(begin_ordeal: BeginOrdeal, one: str, other: str) -> None:
    async with begin_ordeal(SHORT_LEASES) as world, _alive(world, one), _alive(world, other) as (life, _):
        await world.record.listening(2)
        asked = world.ask()
        await world.take_in()
        assert not (wrong := await _over(world, life, asked)), wrong


async def test_a_clock_that_jumps_while_its_worker_waits_for_the_model_costs_no_answer(
    begin_ordeal: BeginOrdeal, storm: bool
) -> None:
    wrong = await each((BACK, ON, SLOW, FAST) if storm else (BACK,), lambda jump: _jumped(begin_ordeal, jump))
    assert not wrong, wrong


async def _jumped(begin: BeginOrdeal, jump: str) -> str:
    async with begin(SHORT_LEASES) as world:
        if jump == BACK:
            world.model.script.append(Stalls())  # until the lease has run out, which is not extended any more
        asked = world.ask()
        await world.take_in()
        async with _alive(world, RIGHT) as (_, clock):
            await _asked(world)
            async with asyncio.TaskGroup() as tasks:
                winding = tasks.create_task(_wind(clock, jump))
                async with _alive(world, RIGHT) as (heir, _):
                    wrong = await _over(world, heir, asked)
                winding.cancel()
    return wrong


async def _wind(clock: Path, jump: str) -> None:
    """Let a clock jump; back again and again: one jump may meet a heartbeat on its way, and the next ones keep on."""
    times = (f"-{hours}h" for hours in itertools.count(1)) if jump == BACK else (jump,)
    for time in times:
        await asyncio.to_thread(clock.write_text, time, encoding="utf-8")
        await asyncio.sleep(0.2)  # shorter than between two heartbeats


@pytest.fixture
async def clockwork(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[PostgresServer, Path]]:
    """A server of the test's own that has its time from a file."""
    clock = home.parent / "clock"
    clock.write_text(RIGHT, encoding="utf-8")
    for name, value in _watch(clock).items():
        monkeypatch.setitem(postmaster.ENVIRONMENT, name, value)
    async with EmbeddedPostgres(home) as server:
        yield PostgresServer(url=server.url, admin_url=server.superuser_url), clock


async def test_a_jump_of_the_databases_clock_costs_no_answer(
    clockwork: tuple[PostgresServer, Path], zygote: Zygote, tmp_path: Path
) -> None:
    postgres, clock = clockwork
    template = f"template_{secrets.token_hex(6)}"
    url = postgres.create(template)
    postgres.extend(template, "vector", "pg_trgm")
    await migrate(url)
    async with ordeal(PLAIN, postgres=postgres, template=template, zygote=zygote, home=tmp_path) as world:
        world.model.script.append(Stalls())
        asked = world.ask()
        await world.take_in()
        async with _alive(world, RIGHT) as (first, _):
            await _asked(world)
            clock.write_text(ON, encoding="utf-8")  # every lease has run out
            async with _alive(world, RIGHT):
                assert not (wrong := await _over(world, first, asked)), wrong
