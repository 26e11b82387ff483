"""What stands below an answer, and what becomes of it where Slack refuses it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from athenaeum.domain.turn import StepStarted
from athenaeum.errors import LeaseLost
from athenaeum.slack.formatting import FEEDBACK
from support.stage import ANSWER, ScriptedAgent, Stage

BY_A_MODEL = replace(ANSWER, model="claude-test")


async def test_only_the_last_part_of_a_models_answer_can_be_judged(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn, ScriptedAgent(replace(BY_A_MODEL, text="\n\n".join(["word " * 600] * 6))))

    parts = stage.shown(await stage.look(turn))
    assert [FEEDBACK in json.dumps(part.blocks) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert len(parts) > 1


async def test_where_slack_refuses_the_pair_of_buttons_there_are_two(stage: Stage) -> None:
    turn = await stage.ask()
    stage.fault("chat.update", "error", error="invalid_blocks")
    await stage.work(turn, ScriptedAgent(BY_A_MODEL))

    [shown] = stage.shown(await stage.look(turn))
    assert [block["type"] for block in shown.blocks] == ["markdown", "actions"]
    assert await stage.texts(turn) == [ANSWER.text]


@pytest.mark.parametrize(
    ("refusals", "shown"),
    [(0, ["table", "context_actions"]), (1, ["table", "actions"]), (2, ["markdown", "actions"])],
)
async def test_a_table_is_slacks_own_or_markdown_above_the_buttons(
    stage: Stage, refusals: int, shown: list[str]
) -> None:
    turn = await stage.ask()
    if refusals:
        stage.fault("chat.update", "error", error="invalid_blocks", times=refusals)
    await stage.work(turn, ScriptedAgent(replace(BY_A_MODEL, text="| a |\n| --- |\n| 1 |")))

    [message] = stage.shown(await stage.look(turn))
    assert [block["type"] for block in message.blocks] == shown


async def test_what_a_zombie_overwrote_is_shown_again_in_the_blocks_that_slack_takes(stage: Stage) -> None:
    turn, old = await stage.take(await stage.ask())
    feed = stage.delivery.progress(turn, old)
    assert feed is not None
    async with asyncio.timeout(20):
        zombie = asyncio.ensure_future(feed.run())
        await stage.until(lambda: bool(stage.shown(turn)))
        stage.fault("chat.update", "slow", seconds=0.5)
        await feed.show(StepStarted("Searching…"))
        await stage.until(lambda: bool(stage.calls("chat.update")))
        await stage.work(turn.id, ScriptedAgent(replace(BY_A_MODEL, text="| a |\n| --- |\n| 1 |")))
        stage.fault("chat.update", "error", error="invalid_blocks", times=2)
        with pytest.raises(LeaseLost):
            await zombie
    [message] = stage.shown(turn)
    assert [block["type"] for block in message.blocks] == ["markdown", "actions"]


async def test_where_slack_refuses_every_block_the_answer_is_plain(stage: Stage) -> None:
    turn = await stage.ask()
    stage.fault("chat.update", "error", error="invalid_blocks", times=2)
    await stage.work(turn, ScriptedAgent(BY_A_MODEL))

    [shown] = stage.shown(await stage.look(turn))
    assert shown.blocks == []
    assert await stage.texts(turn) == ["Retry it with athenaeum events retry."]
