"""Helpful or not: the buttons below an answer, and whose word counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from athenaeum.conversations import feedback
from athenaeum.conversations.feedback import Rating
from athenaeum.domain.identity import ChannelId, MessageTs, TurnId, UserId, turn_id
from athenaeum.slack.formatting import FEEDBACK, REASON
from slacksim.model import JsonObject, Message
from support.product import Product


@pytest.fixture
def engine() -> str:
    """One is enough: a click is an event like any other."""
    return "postgres"


def rate(product: Product, name: str, message: Message, verdict: str) -> JsonObject:
    asked = product.person(name)
    payload = asked.click(message.channel, message.ts, FEEDBACK, value=value(message, verdict))
    payload["trigger_id"] = product.sim.simulation.views.trigger(asked.world, asked.user.id)
    product.sim.simulation.outbox.send(payload, kind="interactive")
    return payload


async def explain(product: Product, name: str, reason: str) -> None:
    """Fill in the modal that stands before somebody, and send it."""
    filled = {"user": name, "view_id": modal(product, name)["id"], "values": {REASON: reason}}
    async with httpx2.AsyncClient() as client:
        answer = await client.post(f"{product.sim.url}/_sim/submit", json=filled, timeout=20)
    assert answer.json() == {"ok": True, "errors": {}}


def modal(product: Product, name: str) -> JsonObject:
    view = product.sim.simulation.views.top(product.person(name).user.id)
    assert view is not None
    return view


async def reasons(product: Product) -> list[tuple[str, str | None]]:
    async with product.running.database.session(product.tenant.id) as session:
        return [(each.verdict.value, each.reason) for each in await feedback.latest(session)]


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


async def test_who_finds_an_answer_of_no_help_is_asked_why_and_says_it(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform"))

    rate(product, "tom", answer, "down")
    await product.rest()
    View(**modal(product, "tom")).validate_json()
    await explain(product, "tom", "It names the <old> runbook.")

    assert await reasons(product) == [("down", "It names the <old> runbook.")]
    assert [product.sim.simulation.views.top(user) for user in product.sim.world.users] == [None] * len(
        product.sim.world.users
    )


async def test_the_last_reason_counts_and_none_does_once_an_answer_was_of_help(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform"))

    seen: list[tuple[str, str | None]] = []
    for reason in ("Too long.", "Too short."):
        rate(product, "tom", answer, "down")
        await product.rest()
        await explain(product, "tom", reason)
        seen += await reasons(product)
    [shown] = modal_inputs(product)
    rate(product, "tom", answer, "up")
    await product.rest()
    seen += await reasons(product)

    assert shown == "Too long."  # what was said before stands in the second modal
    assert seen == [("down", "Too long."), ("down", "Too short."), ("up", None)]


async def test_a_click_that_is_told_again_asks_nobody_again(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform"))

    told: list[JsonObject] = []
    for verdict in ("down", "up"):
        told.append(rate(product, "tom", answer, verdict))
        await product.rest()
    for payload in told:
        product.sim.simulation.outbox.send(payload, kind="interactive")
        await product.rest()

    assert len(product.calls("views.open")) == 1


async def test_a_slack_that_opens_no_modal_keeps_nobody_from_judging(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform"))
    product.fault("views.open", "error", error="expired_trigger_id")

    rate(product, "tom", answer, "down")
    await product.rest()

    assert await reasons(product) == [("down", None)]
    assert product.sim.simulation.outbox.deliveries[-1].acked


async def test_an_older_reason_does_not_undo_a_later_one_and_both_go_with_the_question(product: Product) -> None:
    asked = product.ask("maya", "platform")
    await product.answer(asked)
    turn = turn_id(product.tenant.id, ChannelId(asked.channel), MessageTs(asked.ts))
    now, tom = datetime.now(UTC), UserId("U1")
    for seconds in (0, 5):
        await give(product, turn, asked.channel, Rating.DOWN, at=now + timedelta(seconds=seconds))
    async with product.running.database.session(product.tenant.id) as session:
        kept = [
            await feedback.explain(session, turn, user=tom, at=now + timedelta(seconds=seconds), reason=reason)
            for seconds, reason in ((5, "later"), (0, "earlier"))
        ]
    assert (kept, await reasons(product)) == ([True, False], [("down", "later")])

    product.person("maya").delete(asked.channel, asked.ts)
    await product.rest()

    assert await reasons(product) == [("down", None)]


def modal_inputs(product: Product) -> list[str]:
    """What stood in the modals that were shown, where something did."""
    shown = [block["element"].get("initial_value") for call in product.calls("views.open") for block in view(call)]
    return [text for text in shown if text]


def view(call: JsonObject) -> list[JsonObject]:
    return call["view"]["blocks"]
