"""Helpful or not: the buttons below an answer, and whose word counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from slack_sdk.models.blocks import Block

from athenaeum.conversations import feedback
from athenaeum.conversations.feedback import Rating
from athenaeum.domain.identity import ChannelId, MessageTs, TurnId, UserId, turn_id
from athenaeum.slack.formatting import FEEDBACK
from slacksim.model import JsonObject, Message
from support.product import Product


def rate(product: Product, name: str, message: Message, verdict: str) -> JsonObject:
    asked = product.person(name)
    payload = asked.click(message.channel, message.ts, FEEDBACK, value=value(message, verdict))
    product.sim.simulation.outbox.send(payload, kind="interactive")
    return payload


def value(message: Message, verdict: str) -> str:
    [pair] = [block["elements"][0] for block in message.blocks if block["type"] == "context_actions"]
    side = "positive_button" if verdict == "up" else "negative_button"
    assert pair[side]["value"].startswith(f"{verdict}:")
    return pair[side]["value"]


async def opinions(product: Product) -> list[tuple[str, str]]:
    async with product.running.database.session(product.tenant.id) as session:
        return sorted((str(each.user), each.verdict.value) for each in await feedback.latest(session))


async def test_each_persons_last_word_counts(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform"))
    maya, tom = product.person("maya").user.id, product.person("tom").user.id

    first = rate(product, "maya", answer, "up")
    await product.rest()
    rate(product, "tom", answer, "up")
    rate(product, "maya", answer, "down")
    await product.rest()
    product.sim.simulation.outbox.send(first, kind="interactive")  # Slack repeats the older click
    await product.rest()

    assert await opinions(product) == sorted([(maya, "down"), (tom, "up")])
    assert len(product.replies(answer)) == 1


async def test_the_buttons_are_what_slacks_own_library_knows(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform"))

    for block in Block.parse_all(answer.blocks):
        block.validate_json()
    assert [block["type"] for block in answer.blocks][-1] == "context_actions"


async def test_help_is_not_judged(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform", ""))

    assert FEEDBACK not in json.dumps(answer.blocks)


async def test_a_word_that_comes_out_of_order_does_not_undo_a_later_one(product: Product) -> None:
    asked = product.ask("maya", "platform")
    await product.answer(asked)
    turn = turn_id(product.tenant.id, ChannelId(asked.channel), MessageTs(asked.ts))
    now = datetime.now(UTC)

    kept = [
        await give(product, turn, asked.channel, verdict, at=now + timedelta(seconds=seconds))
        for verdict, seconds in ((Rating.DOWN, 5), (Rating.UP, 1), (Rating.DOWN, 5))
    ]

    assert kept == [True, False, False]
    assert [verdict for _, verdict in await opinions(product)] == ["down"]


async def test_an_answer_is_judged_where_it_stands(product: Product) -> None:
    asked = product.ask("maya", "platform")
    await product.answer(asked)
    turn = turn_id(product.tenant.id, ChannelId(asked.channel), MessageTs(asked.ts))

    assert not await give(product, turn, "CELSEWHERE", Rating.UP, at=datetime.now(UTC))


async def give(product: Product, turn: TurnId, channel: str, verdict: Rating, *, at: datetime) -> bool:
    async with product.running.database.session(product.tenant.id) as session:
        return await feedback.give(session, turn, user=UserId("U1"), channel=ChannelId(channel), verdict=verdict, at=at)
