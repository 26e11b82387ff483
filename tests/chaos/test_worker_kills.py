"""The only worker is killed at each step of a turn, and a second one is started."""

from __future__ import annotations

import random

import pytest

from support.lanes import each
from support.life import Fate
from support.ordeal import BeginOrdeal
from support.trials import (
    LOST_RESPONSE,
    LOST_START,
    OFFLINE,
    PLAIN,
    SEVERAL_PARTS,
    SHORT_LEASES,
    STREAMED,
    UNKNOWN_IDS,
    WRONG_KEY,
    Trial,
)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

SAMPLE = 2
"""Points of each variation in a usual run, always the same ones."""
STEPS = {
    "claim",
    "right to post",
    "slack chat.postMessage",
    "ts recorded",
    "money reserved",
    "model",
    "step",
    "tool",
    "answer saved",
    "slack chat.update",
    "turn ended",
    "event completed",
}


async def _points(begin: BeginOrdeal, trial: Trial, *, within: bool = False) -> list[str]:
    """What a worker passes that nobody stops."""
    async with begin(trial) as ordeal:
        asked = ordeal.ask()
        await ordeal.take_in()
        async with ordeal.alive(Fate(within=within)) as undisturbed:
            await ordeal.over(undisturbed)
        assert not (faults := await ordeal.faults(asked)), ordeal.account(faults)
        return undisturbed.boundaries.passed


async def _killed_at(begin: BeginOrdeal, trial: Trial, point: str, *, within: bool = False) -> str:
    """Kill a worker at the point and start another; gives what is wrong then."""
    async with begin(trial) as ordeal:
        asked = ordeal.ask()
        await ordeal.take_in()
        async with ordeal.alive(Fate(point, within=within)) as first:
            killed = await ordeal.stopped_or_over(first)
        await ordeal.record.expire()
        async with ordeal.alive() as second:
            await ordeal.over(second)
        faults = await ordeal.faults(asked)
        return ordeal.account(f"killed {'after' if killed else 'never at'} {point!r}: {faults}") if faults else ""


async def _survive(begin: BeginOrdeal, trial: Trial, points: list[str], *, within: bool = False) -> None:
    """Kill a worker at each of the points, each time in a world of its own."""
    faults = await each(points, lambda point: _killed_at(begin, trial, point, within=within))
    assert not faults, faults


@pytest.mark.parametrize("engine", ["postgres", "celery"])
async def test_a_worker_killed_after_any_step_costs_no_answer_and_no_step(
    begin_ordeal: BeginOrdeal, storm: bool, engine: str
) -> None:
    points = await _points(begin_ordeal, PLAIN, within=storm)
    assert {point.rpartition(" ")[0] for point in points} >= STEPS
    if not storm:
        points = [point for point in points if point.endswith(" 1")]  # each by its name, the first time it is passed
        points = random.Random(SAMPLE).sample(points, SAMPLE) if engine == "celery" else points
    await _survive(begin_ordeal, PLAIN, points, within=storm)


@pytest.mark.parametrize(
    "trial",
    [
        pytest.param(LOST_RESPONSE, id="the response of a post is lost"),
        pytest.param(UNKNOWN_IDS, id="the response is lost, and Slack forgets client_msg_id"),
        pytest.param(SEVERAL_PARTS, id="an answer has several messages"),
        pytest.param(OFFLINE, id="there is no language model"),
        pytest.param(WRONG_KEY, id="the answer is an apology"),
    ],
)
async def test_a_worker_killed_after_any_step_costs_no_answer_when(
    begin_ordeal: BeginOrdeal, storm: bool, trial: Trial
) -> None:
    points = await _points(begin_ordeal, trial)
    await _survive(begin_ordeal, trial, points if storm else random.Random(SAMPLE).sample(points, SAMPLE))


@pytest.mark.parametrize(
    "trial",
    [pytest.param(STREAMED, id="nothing else happens"), pytest.param(LOST_START, id="the start's response is lost")],
)
async def test_a_worker_killed_after_any_step_of_a_stream_leaves_one_answer(
    begin_ordeal: BeginOrdeal, storm: bool, trial: Trial
) -> None:
    points = await _points(begin_ordeal, trial)
    assert "slack chat.stopStream 1" in points
    if not storm:
        points = [point for point in points if "Stream" in point or "post" in point or "recorded" in point]
        points = points if trial is STREAMED else random.Random(SAMPLE).sample(points, SAMPLE)
    await _survive(begin_ordeal, trial, points)


async def test_the_lease_of_a_killed_worker_runs_out(begin_ordeal: BeginOrdeal) -> None:
    async with begin_ordeal(SHORT_LEASES) as ordeal:
        asked = ordeal.ask()
        await ordeal.take_in()
        async with ordeal.alive(Fate("step 3")) as first:
            assert await ordeal.stopped_or_over(first)
        async with ordeal.alive() as second:
            await ordeal.over(second)
        assert not (faults := await ordeal.faults(asked)), ordeal.account(faults)
