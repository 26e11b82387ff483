from __future__ import annotations

from athenaeum.conversations.turns import TURN
from athenaeum.errors import APOLOGY
from athenaeum.worker.dispatch import Dispatch
from athenaeum.worker.pool import WorkerPool
from support.stage import ANSWER, ScriptedAgent, Stage, said


def pool(stage: Stage, agent: ScriptedAgent) -> WorkerPool:
    return WorkerPool(2, stage.database, Dispatch({TURN: stage.handler(agent)}, 0), max_retries=0)


async def test_the_pool_answers_questions_from_the_queue(stage: Stage) -> None:
    asked = [await stage.ask() for _ in range(5)]
    async with pool(stage, ScriptedAgent()):
        await stage.until(lambda: len(stage.calls("chat.update")) == 5)
    assert [await stage.texts(turn) for turn in asked] == [[ANSWER.text]] * 5


async def test_the_last_failure_is_told_to_who_asked(stage: Stage) -> None:
    turn = await stage.look(await stage.ask())
    async with pool(stage, ScriptedAgent(RuntimeError("a bug"))):
        await stage.until(lambda: [said(message) for message in stage.shown(turn)] == [APOLOGY])
