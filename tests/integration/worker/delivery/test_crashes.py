from __future__ import annotations

import asyncio
import os
from typing import Literal

import pytest

from athenaeum.domain.event import Event
from athenaeum.domain.identity import TurnId
from athenaeum.domain.turn import Answer, StepStarted
from slacksim.faults import Mode
from support.mortality import Death, Life, live
from support.stage import ScriptedAgent, Stage, said

LONG = Answer("\n\n".join(f"Paragraph {n}. " + "word " * 1400 for n in range(3)))
PARTS = ["Paragraph 0", "Paragraph 1", "Paragraph 2"]
STRIDE = 1 if os.environ.get("ATHENAEUM_STORM") else 7
"""Every step in a storm; otherwise each fault takes its own seventh of the steps."""
FAULTS: dict[str, tuple[tuple[str, Mode], ...]] = {
    "none": (),
    "placeholder accepted, response lost": (("chat.postMessage", "drop_after"),),
    "placeholder lost on its way": (("chat.postMessage", "drop_before"),),
    "every first post ends in a 500": (("chat.postMessage", "500"), ("chat.update", "500")),
    "internal error after the effect": (("chat.postMessage", "error_after"), ("chat.update", "error_after")),
    "both posts of the first attempt lost": (("chat.postMessage", "drop_after"), ("chat.postMessage", "drop_after")),
    "update and read-back lost": (("chat.update", "drop_after"), ("conversations.replies", "drop_before")),
}


def at_length() -> ScriptedAgent:
    return ScriptedAgent(LONG, progress=(StepStarted("Searching documents…"),))


async def dies(stage: Stage, turn: TurnId, steps: int, agent: ScriptedAgent) -> bool:
    """Whether a worker with so many steps to live dies before its turn is done."""
    life = Life(steps)
    try:
        await live(stage, stage.event(turn), agent, life)
    except (Death, BaseExceptionGroup):
        assert life.ended
        return True
    return False


@pytest.mark.parametrize("client_msg_ids", ["kept", "ignored"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_worker_that_dies_at_any_step_leaves_one_answer(
    stage: Stage, fault: str, client_msg_ids: Literal["kept", "ignored"]
) -> None:
    steps = list(FAULTS).index(fault) % STRIDE
    died = True
    while died:
        turn = await stage.ask()
        stage.sim.simulation.faults.clear()
        if client_msg_ids == "ignored":
            stage.ignore_client_msg_ids()
        for method, mode in FAULTS[fault]:
            stage.fault(method, mode)
        died = await dies(stage, turn, steps, at_length())
        await live(stage, stage.event(turn, attempt=2), at_length(), Life())
        shown = [said(message).split(".")[0] for message in stage.shown(await stage.look(turn))]
        assert shown == PARTS, f"after a death at step {steps}"
        steps += STRIDE
    assert steps > 20


async def test_a_worker_that_dies_has_shown_nothing_that_its_heir_could_answer_otherwise(stage: Stage) -> None:
    first, second = ScriptedAgent(Answer("The first answer.")), ScriptedAgent(Answer("The second answer."))
    steps, died = 0, True
    while died:
        turn = await stage.ask()
        died = await dies(stage, turn, steps, first)
        seen = {*await stage.texts(turn)} - {"Thinking…"}
        await live(stage, stage.event(turn, attempt=2), second, Life())
        assert seen <= {*await stage.texts(turn)}, f"after a death at step {steps}"
        steps += 2  # each transaction and each call is two steps
    assert steps > 15


@pytest.mark.parametrize("client_msg_ids", ["kept", "ignored"])
async def test_two_workers_at_once_leave_one_answer(stage: Stage, client_msg_ids: Literal["kept", "ignored"]) -> None:
    if client_msg_ids == "ignored":
        stage.ignore_client_msg_ids()
    for delay in range(0, 200, 20):
        turn = await stage.ask()
        first, second = stage.event(turn), stage.event(turn)

        async def late(event: Event = second, seconds: float = delay / 1000) -> None:
            await asyncio.sleep(seconds)
            await live(stage, event, at_length(), Life())

        await asyncio.gather(live(stage, first, at_length(), Life()), late(), return_exceptions=True)
        shown = [said(message).split(".")[0] for message in stage.shown(await stage.look(turn))]
        assert shown == PARTS, f"with {delay} ms between them"
