"""Try again: a failure, a click, and the answer in the same message."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from athenaeum.slack.formatting import AGAIN
from slacksim.model import Message
from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer, Fails, Says
from support.product import Product, at_work, until
from support.stage import said

ANSWER = "Here you are."


@pytest.fixture
async def product(sim: SlackSim, database_url: str, home: Path) -> AsyncGenerator[Product]:
    async with AnthropicServer() as anthropic:
        anthropic.script.append(Fails(400, "invalid_request_error"))
        anthropic.reply = lambda _: Says(ANSWER)
        model: dict[str, Any] = {"model": "anthropic:claude-test"}
        model |= {"anthropic_api_key": KEY, "anthropic_base_url": anthropic.url}
        async with at_work(sim, database_url, home, **model) as working:
            yield working


async def failed(product: Product) -> Message:
    """An answer that failed; its event is kept as failed."""
    asked = product.ask("maya", "platform")

    async def is_told() -> bool:
        return await product.turn_states() == ["failed"]

    await until(is_told)
    (shown,) = product.replies(asked)
    return shown


def press(product: Product, name: str, message: Message, *, times: int = 1) -> None:
    payload = product.person(name).click(message.channel, message.ts, AGAIN)
    for _ in range(times):
        product.sim.simulation.outbox.send(payload, kind="interactive")


def whispered(product: Product, name: str) -> list[str]:
    user = product.person(name).user.id
    return [ephemeral.text for ephemeral in product.sim.world.state.ephemerals if ephemeral.user == user]


async def test_a_failure_is_tried_again_in_its_own_message(product: Product) -> None:
    shown = await failed(product)
    assert product.seen[shown.ts][-1] != ANSWER
    assert AGAIN in str(shown.blocks)

    press(product, "maya", shown)

    async def is_answered() -> bool:
        return await product.turn_states() == ["delivered"]

    await until(is_answered)
    assert said(shown) == ANSWER
    assert AGAIN not in str(shown.blocks)
    assert len(product.calls("chat.postMessage")) == 1


async def test_a_second_click_and_that_of_somebody_else_are_answered_alone(product: Product) -> None:
    shown = await failed(product)

    press(product, "tom", shown)
    press(product, "maya", shown, times=2)

    async def are_told() -> bool:
        return bool(whispered(product, "tom") and whispered(product, "maya"))

    await until(are_told)
    [refused] = whispered(product, "tom")
    [late] = whispered(product, "maya")
    assert refused.startswith("Only <@")
    assert late.startswith("This is being tried again already")
