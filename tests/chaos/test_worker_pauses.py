"""Workers that race, that are frozen until their lease is another's, and that are told to stop."""

from __future__ import annotations

import asyncio
import signal
from time import monotonic

import pytest

from slacksim.faults import Fault
from support.anthropic_server import Fails, Stalls
from support.lanes import each
from support.life import Fate
from support.ordeal import BeginOrdeal
from support.record import DEADLINE_SECONDS
from support.trials import PLAIN, REFUSED_AT_FIRST, SEVERAL_PARTS, UNKNOWN_IDS, Trial

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

# Where a frozen worker has begun something that its heir will do as well.
FROZEN_AT = ("right to post 1", "slack chat.postMessage 1", "model 1", "step 3", "answer saved 1", "turn ended 1")


@pytest.mark.parametrize("trial", [PLAIN, SEVERAL_PARTS], ids=["one message", "several"])
async def test_two_workers_that_race_answer_once(begin_ordeal: BeginOrdeal, trial: Trial) -> None:
    async with begin_ordeal(trial) as ordeal, ordeal.alive() as one, ordeal.alive():
        await ordeal.record.listening(2)
        asked = ordeal.ask()
        await ordeal.take_in()
        await ordeal.over(one)
        assert not (faults := await ordeal.faults(asked)), ordeal.account(faults)


async def _woken(begin: BeginOrdeal, trial: Trial, point: str) -> str:
    """Freeze a worker at a point, have another one answer, and wake the first; gives what is wrong then."""
    async with begin(trial) as ordeal:
        asked = ordeal.ask()
        await ordeal.take_in()
        async with ordeal.alive(Fate(point, signal.SIGSTOP)) as frozen:
            stopped = await ordeal.stopped_or_over(frozen)
            await ordeal.record.expire()
            async with ordeal.alive() as heir:
                await ordeal.over(heir)
            frozen.process.send(signal.SIGCONT)
            frozen.process.send(signal.SIGTERM)  # which it obeys when all that it does has ended
            async with asyncio.timeout(30):
                await frozen.process.ended()
        faults = await ordeal.faults(asked)
        return ordeal.account(f"frozen {'after' if stopped else 'never at'} {point!r}: {faults}") if faults else ""


@pytest.mark.parametrize("trial", [PLAIN, UNKNOWN_IDS], ids=["plain", "a lost response"])
async def test_a_worker_that_wakes_after_its_lease_changes_nothing(
    begin_ordeal: BeginOrdeal, storm: bool, trial: Trial
) -> None:
    points = FROZEN_AT if storm else FROZEN_AT[::2]
    faults = await each(points, lambda point: _woken(begin_ordeal, trial, point))
    assert not faults, faults


async def test_a_worker_that_wakes_while_its_heir_works_puts_no_apology_before_the_answer(
    begin_ordeal: BeginOrdeal,
) -> None:
    async with begin_ordeal(PLAIN) as ordeal:
        ordeal.model.script.append(Fails(400, "invalid_request_error"))
        asked = ordeal.ask()
        await ordeal.take_in()
        giving_up, working = Fate("turn taken 2", signal.SIGSTOP), Fate("model 1", signal.SIGSTOP)
        async with ordeal.alive(giving_up) as frozen, asyncio.timeout(DEADLINE_SECONDS):
            await frozen.boundaries.reached.wait()
            await ordeal.record.expire()
            async with ordeal.alive(working) as heir:
                await heir.boundaries.reached.wait()
                frozen.process.send(signal.SIGCONT)
                frozen.process.send(signal.SIGTERM)
                await frozen.process.ended()
                heir.process.send(signal.SIGCONT)
                await ordeal.over(heir)
        assert not (faults := await ordeal.faults(asked)), ordeal.account(faults)


async def test_a_saved_answer_is_what_is_shown_by_a_worker_that_gives_up(begin_ordeal: BeginOrdeal) -> None:
    async with begin_ordeal(REFUSED_AT_FIRST) as ordeal:
        asked = ordeal.ask()
        await ordeal.take_in()
        async with ordeal.alive(Fate("answer saved 1", signal.SIGSTOP)) as only, asyncio.timeout(DEADLINE_SECONDS):
            await only.boundaries.reached.wait()
            ordeal.sim.simulation.faults.plan(Fault("chat.update", "error", error="update_refused"))
            only.process.send(signal.SIGCONT)
            await ordeal.over(only)
        assert not (faults := await ordeal.faults(asked)), ordeal.account(faults)


async def test_a_worker_that_is_told_to_stop_hands_on_what_takes_too_long(begin_ordeal: BeginOrdeal) -> None:
    async with begin_ordeal(PLAIN) as ordeal:
        ordeal.model.script.append(Stalls())
        asked = ordeal.ask()
        await ordeal.take_in()
        async with ordeal.alive() as first, ordeal.alive() as second:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await ordeal.model.arrived.wait()
                holder, heir = (first, second) if first.boundaries.begun["model"] else (second, first)
                holder.process.send(signal.SIGTERM)
                await holder.process.ended()
            stopped = monotonic()
            await ordeal.over(heir)
        assert monotonic() - stopped < 5, "it waited for the lease of the one that had gone"
        assert not (faults := await ordeal.faults(asked)), ordeal.account(faults)


async def test_a_worker_that_is_told_to_stop_ends_what_it_can(begin_ordeal: BeginOrdeal) -> None:
    async with begin_ordeal(PLAIN) as ordeal:
        asked = ordeal.ask()
        await ordeal.take_in()
        async with ordeal.alive(Fate("model 1", signal.SIGTERM)) as only, asyncio.timeout(DEADLINE_SECONDS):
            await only.process.ended()
        assert not (faults := await ordeal.faults(asked)), ordeal.account(faults)
