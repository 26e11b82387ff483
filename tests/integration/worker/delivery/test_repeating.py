"""A turn that failed and is tried again: by whom, how often, and what its message shows."""

from __future__ import annotations

import asyncio
from typing import Any

from athenaeum.conversations import turns
from athenaeum.conversations.turns import Repeating
from athenaeum.domain.identity import DEFAULT_TENANT, TurnId, UserId
from athenaeum.errors import APOLOGY, Refused
from athenaeum.slack.formatting import AGAIN
from support.stage import ANSWER, ScriptedAgent, Stage, said


async def fail(stage: Stage) -> TurnId:
    turn = await stage.ask()
    await fail_again(stage, turn)
    return turn


async def fail_again(stage: Stage, turn: TurnId) -> None:
    event, error = stage.event(turn), Refused("the model said no")
    handler = stage.handler(ScriptedAgent(error))
    try:
        await handler.handle(event)
    except Refused:
        await handler.give_up(event, error)


async def repeat(stage: Stage, turn: TurnId, *, user: str | None = None) -> Repeating:
    found = await stage.look(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        ruling, _ = await turns.repeat(session, turn, user=UserId(user or found.asker), channel=found.channel)
    return ruling


async def blocks(stage: Stage, turn: TurnId) -> list[dict[str, Any]]:
    (shown,) = stage.shown(await stage.look(turn))
    return shown.blocks


async def test_a_failure_offers_to_try_again_and_has_a_number(stage: Stage) -> None:
    turn = await fail(stage)

    assert await stage.texts(turn) == [APOLOGY]
    assert AGAIN in str(await blocks(stage, turn))
    assert f"Number {str(turn)[:8]}" in str(await blocks(stage, turn))


async def test_the_failed_message_becomes_thinking_and_then_the_answer(stage: Stage) -> None:
    turn = await fail(stage)
    (message,) = stage.shown(await stage.look(turn))

    assert await repeat(stage, turn) is Repeating.BEGUN

    async def thinks() -> None:
        await stage.until(lambda: said(message) == "Thinking…")

    await stage.work(turn, ScriptedAgent(meanwhile=thinks))

    assert await stage.texts(turn) == [ANSWER.text]
    assert AGAIN not in str(await blocks(stage, turn))
    assert len(stage.calls("chat.postMessage")) == 1


async def test_each_failure_is_tried_again_once(stage: Stage) -> None:
    turn = await fail(stage)

    rulings = await asyncio.gather(*[repeat(stage, turn) for _ in range(3)])
    assert sorted(rulings) == [Repeating.BEGUN, Repeating.OVER, Repeating.OVER]

    await fail_again(stage, turn)
    assert await repeat(stage, turn) is Repeating.BEGUN
    assert (await stage.look(turn)).repeats == 2


async def test_what_has_not_failed_is_not_tried_again(stage: Stage) -> None:
    turn = await stage.ask()
    assert await repeat(stage, turn) is Repeating.OVER
    await stage.work(turn)

    assert await repeat(stage, turn) is Repeating.OVER
    assert await stage.texts(turn) == [ANSWER.text]


async def test_only_who_asked_has_it_tried_again(stage: Stage) -> None:
    turn = await fail(stage)

    assert await repeat(stage, turn, user="UOTHER") is Repeating.NOT_YOURS
