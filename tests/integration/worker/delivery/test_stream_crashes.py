"""What a worker leaves that dies while it streams: the tests of `test_crashes`, with Slack's streams in them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta

import pytest

from athenaeum.domain.event import Event
from athenaeum.domain.identity import TurnId
from athenaeum.domain.turn import StepStarted, TextGrew
from slacksim.faults import Mode
from support.mortality import IMPATIENT, Death, Life, live
from support.stage import ANSWER, ScriptedAgent, Stage, streaming

CHATTY = replace(IMPATIENT, progress=timedelta(milliseconds=1))
STRIDE = 1 if os.environ.get("ATHENAEUM_STORM") else 5
"""Every step in a storm; otherwise each fault takes its own fifth of the steps."""
FAULTS: dict[str, tuple[tuple[str, Mode], ...]] = {
    "none": (),
    "start accepted, response lost": (("chat.startStream", "drop_after"),),
    "both starts of the first attempt lost": (("chat.startStream", "drop_after"), ("chat.startStream", "drop_after")),
    "start lost on its way": (("chat.startStream", "drop_before"),),
    "internal error after the effect": (("chat.startStream", "error_after"), ("chat.stopStream", "error_after")),
    "the stream is never stopped": (("chat.stopStream", "500"), ("chat.stopStream", "500")),
    "an append and the read-back lost": (("chat.appendStream", "drop_after"), ("conversations.replies", "drop_before")),
}


def talking() -> ScriptedAgent:
    return ScriptedAgent(progress=(StepStarted("Searching documents…"), TextGrew("Retry it with what follows: ")))


async def dies(stage: Stage, turn: TurnId, steps: int) -> bool:
    """Whether a worker with so many steps to live dies before its turn is done."""
    life = Life(steps)
    try:
        await live(stage, stage.event(turn), talking(), life, timing=CHATTY)
    except (Death, BaseExceptionGroup):
        assert life.ended
        return True
    return False


def growing(stage: Stage) -> int:
    world = stage.sim.world
    messages = (world.channels[channel].messages.get(ts) for channel, ts in world.state.streams)
    return sum(message is not None and world.is_live(message) for message in messages)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_worker_that_dies_at_any_step_of_a_stream_leaves_one_answer(stage: Stage, fault: str) -> None:
    await streaming(stage)
    steps = list(FAULTS).index(fault) % STRIDE
    died = True
    while died:
        turn = await stage.ask()
        stage.sim.simulation.faults.clear()
        for method, mode in FAULTS[fault]:
            stage.fault(method, mode)
        died = await dies(stage, turn, steps)
        await live(stage, stage.event(turn, attempt=2), talking(), Life(), timing=CHATTY)
        assert await stage.texts(turn) == [ANSWER.text], f"after a death at step {steps}"
        assert growing(stage) == 0, f"after a death at step {steps}"
        steps += STRIDE
    assert steps > 15


async def test_two_workers_that_stream_at_once_leave_one_answer(stage: Stage) -> None:
    await streaming(stage)
    for delay in range(0, 200, 50):
        turn = await stage.ask()
        first, second = stage.event(turn), stage.event(turn)

        async def late(event: Event = second, seconds: float = delay / 1000) -> None:
            await asyncio.sleep(seconds)
            await live(stage, event, talking(), Life(), timing=CHATTY)

        await asyncio.gather(live(stage, first, talking(), Life(), timing=CHATTY), late(), return_exceptions=True)
        assert await stage.texts(turn) == [ANSWER.text], f"with {delay} ms between them"
        assert growing(stage) == 0


async def test_an_heir_that_streams_no_more_takes_the_stream_over(stage: Stage) -> None:
    for steps in range(5, 40, 9):
        await streaming(stage)
        turn = await stage.ask()
        await dies(stage, turn, steps)
        await streaming(stage, native=False)
        await live(stage, stage.event(turn, attempt=2), talking(), Life(), timing=CHATTY)
        assert await stage.texts(turn) == [ANSWER.text], f"after a death at step {steps}"
