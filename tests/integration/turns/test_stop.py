"""Stop, as people press it: the placeholder becomes "Stopped.", and the thread goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from athenaeum.slack.formatting import STOP
from slacksim import events
from slacksim.model import Message
from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer, Says, Stalls
from support.product import Product, at_work, until
from support.stage import said

STOPPED = "Stopped."


@pytest.fixture
async def anthropic() -> AsyncGenerator[AnthropicServer]:
    async with AnthropicServer() as server:
        server.script.append(Stalls())
        server.reply = lambda _: Says("Here you are.")
        yield server


@pytest.fixture
async def product(sim: SlackSim, database_url: str, home: Path, anthropic: AnthropicServer) -> AsyncGenerator[Product]:
    model: dict[str, Any] = {
        "model": "anthropic:claude-test",
        "anthropic_api_key": KEY,
        "anthropic_base_url": anthropic.url,
    }
    async with at_work(sim, database_url, home, **model) as working:
        yield working


async def being_answered(product: Product, anthropic: AnthropicServer, *, thread: Message | None = None) -> Message:
    """A question that the model thinks about without an end."""
    asked = product.ask("maya", "platform", "Write an essay.", thread=thread)
    await anthropic.arrived.wait()
    await placed(product, asked)
    return asked


async def placed(product: Product, asked: Message) -> Message:
    async def is_placed() -> bool:
        return bool(product.replies(asked))

    await until(is_placed)
    return product.replies(asked)[-1]


def press(product: Product, name: str, message: Message) -> None:
    payload = product.person(name).click(message.channel, message.ts, STOP)
    product.sim.simulation.outbox.send(payload, kind="interactive")


async def shows(product: Product, message: Message, words: str) -> None:
    async def is_shown() -> bool:
        return said(message) == words

    await until(is_shown, seconds=30)


def whispered(product: Product, name: str) -> list[str]:
    user = product.person(name).user.id
    return [ephemeral.text for ephemeral in product.sim.world.state.ephemerals if ephemeral.user == user]


async def test_who_asked_stops_the_model_and_the_next_question_of_the_thread_is_answered(
    product: Product, anthropic: AnthropicServer
) -> None:
    asked = await being_answered(product, anthropic)
    following = product.ask("tom", "platform", "And something else?", thread=asked)
    (shown,) = product.replies(asked)

    press(product, "maya", shown)
    await shows(product, shown, STOPPED)

    await product.rest()
    assert [said(message) for message in product.replies(following)] == [STOPPED, "Here you are."]
    assert sorted(await product.turn_states()) == ["delivered", "stopped"]
    assert STOP not in str([message.blocks for message in product.replies(following)])


async def test_a_question_that_waits_behind_another_is_stopped_at_once(
    product: Product, anthropic: AnthropicServer
) -> None:
    asked = await being_answered(product, anthropic)
    waiting = product.ask("maya", "platform", "And something else?", thread=asked)

    async def are_two() -> bool:
        return len(product.replies(asked)) == 2

    await until(are_two)
    first, second = product.replies(waiting)

    press(product, "maya", second)
    await shows(product, second, STOPPED)
    assert said(first) != STOPPED
    press(product, "maya", first)
    await product.rest()

    assert [said(message) for message in product.replies(asked)] == [STOPPED] * 2


async def test_somebody_else_stops_nothing_and_is_told_so_alone(product: Product, anthropic: AnthropicServer) -> None:
    asked = await being_answered(product, anthropic)
    (shown,) = product.replies(asked)

    press(product, "tom", shown)

    async def is_told() -> bool:
        return bool(whispered(product, "tom"))

    await until(is_told)
    maya = product.person("maya").user.id
    assert whispered(product, "tom") == [f"Only <@{maya}> and the workspace's admins can stop this."]
    assert said(shown) != STOPPED
    press(product, "maya", shown)
    await product.rest()


async def test_slacks_own_stop_button_stops_what_its_user_asked_in_the_thread(
    product: Product, anthropic: AnthropicServer
) -> None:
    asked = await being_answered(product, anthropic)
    (shown,) = product.replies(asked)
    maya = product.person("maya").user.id
    pressed = {"type": "agent_session_stopped", "channel": asked.channel, "thread_ts": asked.ts, "user": maya}

    product.sim.simulation.outbox.send(events.callback(pressed, product.sim.world))
    await product.rest()

    assert said(shown) == STOPPED


async def test_a_click_that_comes_too_late_is_told_so_alone(product: Product, anthropic: AnthropicServer) -> None:
    asked = await being_answered(product, anthropic)
    (shown,) = product.replies(asked)
    payload = product.person("maya").click(shown.channel, shown.ts, STOP)
    for _ in range(2):
        product.sim.simulation.outbox.send(payload, kind="interactive")
        await product.rest()

    assert whispered(product, "maya") == ["There is nothing left to stop here."]
    assert said(shown) == STOPPED
