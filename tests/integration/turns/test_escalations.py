"""Ask a human: a button below an answer calls somebody into the thread, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from athenaeum.conversations import escalations
from athenaeum.conversations.escalations import EVERYWHERE
from athenaeum.domain.identity import ChannelId
from athenaeum.slack.formatting import HUMAN, RESOLVED
from slacksim.model import JsonObject, Message
from support.product import COMPANY, QUESTION, Product
from support.stage import said

ON_CALL = "S0NCALL"


@pytest.fixture
def company() -> dict[str, Any]:
    return COMPANY


@pytest.fixture
def engine() -> str:
    """One is enough: a call is an event like any other."""
    return "postgres"


@pytest.fixture(autouse=True)
async def _on_call(product: Product) -> None:  # pyright: ignore[reportUnusedFunction]
    """Somebody can be called."""
    await name_helper(product, ON_CALL)


async def name_helper(product: Product, helper: str, *, channel: ChannelId = EVERYWHERE) -> None:
    async with product.running.database.session(product.tenant.id) as session:
        await escalations.set_helper(session, helper, channel=channel)


def press(product: Product, name: str, message: Message, action: str = HUMAN) -> JsonObject:
    payload = product.person(name).click(message.channel, message.ts, action)
    product.sim.simulation.outbox.send(payload, kind="interactive")
    return payload


def calls(product: Product, asked: Message) -> list[Message]:
    """The messages that call somebody."""
    return [message for message in product.replies(asked) if "asks for a human" in message.text]


def has_button(message: Message, action: str = HUMAN) -> bool:
    return action in json.dumps(message.blocks)


def summary_of(call: Message) -> str:
    """What the call says of the thread, as a text in which nothing is a mention or a link."""
    [text] = [block["text"]["text"] for block in call.blocks if block.get("text", {}).get("type") == "plain_text"]
    return text


async def test_a_click_calls_the_group_once_with_a_summary_of_the_thread(product: Product) -> None:
    asked = product.ask("maya", "platform")
    answer = await product.answer(asked)
    product.say("maya", "platform", "Thanks, but <!channel> it says there is no such command.", thread=asked)
    await product.rest()

    press(product, "tom", answer)
    await product.rest()

    [call] = calls(product, asked)
    for block in Block.parse_all(call.blocks):
        block.validate_json()
    assert call.text == f"<!subteam^{ON_CALL}>, <@{product.person('tom').user.id}> asks for a human here."
    summary = summary_of(call)
    assert QUESTION in summary
    assert "athenaeum events retry ID" in summary
    assert "it says there is no such command" in summary
    assert [block["text"]["type"] for block in call.blocks if block["type"] == "section"] == ["mrkdwn", "plain_text"]


async def test_nobody_is_called_twice_however_often_it_is_asked_and_told(product: Product) -> None:
    asked = product.ask("maya", "platform")
    answer = await product.answer(asked)
    later = product.ask("tom", "platform", "And how do I cancel it?", thread=asked)
    await product.rest()
    second = product.replies(later)[-1]

    payload = press(product, "maya", answer)
    for _ in range(3):
        product.sim.simulation.outbox.send(payload, kind="interactive")
    press(product, "tom", answer)
    press(product, "tom", second)
    await product.rest()

    assert len(calls(product, asked)) == 1
    told = [aside.text for aside in product.sim.world.state.ephemerals]
    assert told == ["I have called somebody here already: please wait for them."] * 2
    assert sum("asks for a human" in call["text"] for call in product.calls("chat.postMessage")) == 1


async def test_a_call_whose_answer_is_lost_stands_once(product: Product) -> None:
    asked = product.ask("maya", "platform")
    answer = await product.answer(asked)
    product.fault("chat.postMessage", "drop_after", times=2)

    press(product, "maya", answer)
    await product.rest()

    assert len(calls(product, asked)) == 1


async def test_who_was_helped_says_so_and_may_call_again_from_a_later_answer(product: Product) -> None:
    asked = product.ask("maya", "platform")
    answer = await product.answer(asked)
    press(product, "maya", answer)
    await product.rest()
    [call] = calls(product, asked)

    for name in ("ines", "tom"):
        press(product, name, call, RESOLVED)
    await product.rest()
    async with product.running.database.session(product.tenant.id) as session:
        [helped_by] = [each.resolved_by for each in await escalations.latest(session)]
    press(product, "maya", answer)
    later = product.ask("maya", "platform", "And how do I cancel it?", thread=asked)
    await product.rest()
    assert len(calls(product, asked)) == 1
    press(product, "maya", product.replies(later)[-1])
    await product.rest()

    first, second = calls(product, asked)
    assert first.text.endswith(f"Resolved by <@{helped_by}>.")
    assert (has_button(first, RESOLVED), has_button(second, RESOLVED)) == (False, True)


async def test_the_button_stands_where_somebody_can_be_called_who_can_read_it(product: Product) -> None:
    direct = product.sim.world.open_direct([product.person("maya").user.id, product.sim.world.app.user_id])[0]
    alone = await product.answer(product.say("maya", direct.id, QUESTION))
    helped = await product.answer(product.ask("maya", "platform", "help"))
    channel = ChannelId(product.ask("tom", "platform").channel)
    await product.rest()
    async with product.running.database.session(product.tenant.id) as session:
        await escalations.unset_helper(session)
        await escalations.set_helper(session, "U0TOM", channel=channel)
    theirs = await product.answer(product.ask("maya", "platform"))
    elsewhere = await product.answer(product.ask("ines", "finance"))

    shown = [has_button(message) for message in (alone, helped, theirs, elsewhere)]
    assert shown == [False, False, True, False]
    press(product, "maya", theirs)
    await product.rest()
    assert calls(product, theirs)[0].text.startswith("<@U0TOM>, ")


async def test_a_call_goes_with_its_question(product: Product) -> None:
    asked = product.ask("maya", "platform")
    answer = await product.answer(asked)
    press(product, "tom", answer)
    await product.rest()

    product.person("maya").delete(asked.channel, asked.ts)
    await product.rest()

    assert calls(product, asked) == []


async def test_a_summary_repeats_no_source_that_not_all_may_read_any_more(product: Product) -> None:
    asked = product.ask("maya", "platform")
    answer = await product.answer(asked)
    assert "athenaeum events retry ID" in said(answer)
    async with product.running.database.session(product.tenant.id) as session:
        await product.running.index.put(session, product.tenant.id, "docs", [])

    press(product, "tom", answer)
    await product.rest()

    [call] = calls(product, asked)
    assert QUESTION in summary_of(call)
    assert "athenaeum events retry ID" not in summary_of(call)
