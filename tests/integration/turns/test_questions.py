"""Ask in Slack, get one cited answer in the thread: the main job, over both transports."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from slacksim.model import Message
from slacksim.server import SlackSim
from support.product import COMPANY, QUESTION, Product, Via, at_work, until, workspace
from support.stage import said

RETRY = "athenaeum events retry ID"


@pytest.fixture(params=["socket", "http"])
async def product(
    request: pytest.FixtureRequest, sim: SlackSim, database_url: str, home: Path
) -> AsyncGenerator[Product]:
    via: Via = request.param
    async with at_work(sim, database_url, home, via=via) as working:
        yield working


async def is_shown(product: Product, asked: Message) -> bool:
    return bool(product.replies(asked))


def assert_grew_from_the_placeholder(product: Product, answer: Message) -> None:
    shown = product.seen[answer.ts]
    assert shown[0] == "Thinking…"
    assert RETRY in shown[-1]
    assert list(product.seen) == [answer.ts]


async def test_a_mention_in_a_channel_is_answered_once_in_its_thread(product: Product) -> None:
    asked = product.ask("maya", "platform")
    answer = await product.answer(asked)
    assert answer.thread_ts == asked.ts
    assert_grew_from_the_placeholder(product, answer)


async def test_a_mention_in_a_thread_is_answered_in_that_thread(product: Product) -> None:
    parent = product.say("tom", "platform", "The queue has failed events.")
    asked = product.ask("maya", "platform", thread=parent)
    answer = await product.answer(asked)
    assert answer.thread_ts == parent.ts
    assert [call["thread_ts"] for call in product.calls("chat.postMessage")] == [parent.ts]
    assert_grew_from_the_placeholder(product, answer)


async def test_a_direct_message_needs_no_mention_and_is_answered_in_its_thread(product: Product) -> None:
    asked = product.say("maya", "athenaeum", QUESTION)
    answer = await product.answer(asked)
    assert answer.thread_ts == asked.ts
    assert_grew_from_the_placeholder(product, answer)


async def test_the_first_direct_message_of_somebody_is_answered(product: Product) -> None:
    answer = await product.answer(product.say("tom", "athenaeum", QUESTION))
    assert RETRY in said(answer)


async def test_an_event_that_comes_four_times_gives_one_answer(product: Product) -> None:
    asked = product.ask("maya", "platform")
    outbox = product.sim.simulation.outbox
    events = [sent.payload for sent in outbox.deliveries if sent.payload["event"].get("ts") == asked.ts]
    assert {payload["event"]["type"] for payload in events} == {"message", "app_mention"}
    for payload in events * 3:
        outbox.send(payload)
    answer = await product.answer(asked)
    for payload in events:
        outbox.send(payload)
    assert await product.answer(asked) == answer
    assert len(product.calls("chat.postMessage")) == 1


async def test_a_mention_without_words_gets_help(product: Product) -> None:
    answer = await product.answer(product.say("maya", "platform", product.bot))
    assert "Mention me with a question" in said(answer)


async def test_talk_that_is_not_for_the_bot_is_left_alone(product: Product) -> None:
    product.say("maya", "platform", QUESTION)
    await product.rest()
    assert product.spoken() == []


async def test_a_question_is_answered_as_it_was_edited_before_its_turn(product: Product) -> None:
    product.fault("chat.update", "slow", seconds=0.5)
    parent = product.ask("tom", "platform")
    await until(lambda: is_shown(product, parent))
    asked = product.ask("maya", "platform", "Where is lunch?", thread=parent)
    product.person("maya").edit("platform", asked.ts, f"{product.bot} When is the billing service deployed?")
    await product.rest()
    first, second = product.replies(parent)
    assert RETRY in said(first)
    assert "14:00 UTC" in said(second)


async def test_a_mention_that_an_edit_puts_in_is_answered(product: Product) -> None:
    asked = product.say("maya", "platform", QUESTION)
    await product.rest()
    product.person("maya").edit("platform", asked.ts, f"{product.bot} {QUESTION}")
    assert RETRY in said(await product.answer(asked))


async def test_a_question_that_was_deleted_before_its_turn_leaves_nothing(product: Product) -> None:
    product.fault("chat.update", "slow", seconds=0.5)
    parent = product.ask("tom", "platform")
    await until(lambda: is_shown(product, parent))
    asked = product.ask("maya", "platform", thread=parent)
    await product.opened(asked)
    product.person("maya").delete("platform", asked.ts)
    await product.answer(parent)
    assert sorted(await product.turn_states()) == ["cancelled", "delivered"]


async def test_other_bots_and_the_bot_itself_are_not_answered(database_url: str, home: Path) -> None:
    robot = {"name": "robot", "is_bot": True}
    everyone = ["maya", "robot", "athenaeum"]
    company = {
        "users": [*COMPANY["users"], robot],
        "channels": [{"name": "platform", "members": everyone}, {"kind": "im", "members": ["robot", "athenaeum"]}],
    }
    async with workspace(company) as sim, at_work(sim, database_url, home) as product:
        product.ask("robot", "platform")
        product.say("robot", "athenaeum", QUESTION)
        channel = sim.world.find_channel("platform")
        assert channel is not None
        bot = AsyncWebClient(sim.world.app.bot_token, base_url=sim.api_url)
        await bot.chat_postMessage(channel=channel.id, text=f"{product.bot} {QUESTION}")
        await product.rest()
        assert await product.turn_states() == []
        assert len(product.spoken()) == 1
