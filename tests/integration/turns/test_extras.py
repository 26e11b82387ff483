"""Private extras: what the asker alone may read is offered to them alone, and shown when they want it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from athenaeum.slack.formatting import REVEAL
from slacksim.model import Ephemeral, JsonObject, Message
from support.product import COMPANY, Product

QUESTION = "What is the codename of the acquisition budget?"


@pytest.fixture
def company() -> dict[str, Any]:
    return COMPANY


def shown(product: Product) -> list[Ephemeral]:
    return product.sim.world.state.ephemerals


def text_of(aside: Ephemeral) -> str:
    return json.dumps([aside.text, aside.blocks], ensure_ascii=False)


async def offered(product: Product, name: str) -> tuple[Message, Ephemeral]:
    """The answer in the thread, and the one offer beside it."""
    answer = await product.answer(product.ask(name, "platform", QUESTION))
    (offer,) = shown(product)
    return answer, offer


def accept(product: Product, name: str, offer: Ephemeral) -> JsonObject:
    payload = product.person(name).click(offer.channel, offer.ts, REVEAL)
    product.sim.simulation.outbox.send(payload, kind="interactive")
    return payload


async def test_the_asker_is_offered_what_the_thread_may_not_read_and_shown_it_alone(product: Product) -> None:
    answer, offer = await offered(product, "ines")
    ines = product.person("ines").user.id
    assert (offer.user, offer.channel, offer.thread_ts) == (ines, answer.channel, answer.thread_ts)
    assert "one passage" in offer.text
    assert "heliotrope" not in text_of(offer)
    assert "finance" not in text_of(offer)

    payload = accept(product, "ines", offer)
    await product.rest()
    product.sim.simulation.outbox.send(payload, kind="interactive")  # Slack repeats the click
    await product.rest()

    (_, extra) = shown(product)
    assert (extra.user, extra.channel, extra.thread_ts) == (ines, answer.channel, answer.thread_ts)
    assert "heliotrope" in text_of(extra)
    assert "#finance" in text_of(extra)
    assert "heliotrope" not in json.dumps([said.blocks for said in product.spoken()])
    kept = await product.rows("SELECT payload::text FROM finished_events")
    assert "heliotrope" not in str(kept)


async def test_who_has_left_since_the_offer_is_shown_nothing(product: Product) -> None:
    _, offer = await offered(product, "ines")
    finance = product.sim.world.find_channel("finance")
    assert finance is not None
    product.sim.world.leave(finance, product.person("ines").user.id)
    await product.rest()

    accept(product, "ines", offer)
    await product.rest()

    (_, extra) = shown(product)
    assert "nothing to show" in text_of(extra)
    assert "heliotrope" not in text_of(extra)


async def test_a_click_in_the_name_of_somebody_else_shows_nothing(product: Product) -> None:
    _, offer = await offered(product, "ines")
    payload = product.person("ines").click(offer.channel, offer.ts, REVEAL)
    payload["user"]["id"] = product.person("maya").user.id

    product.sim.simulation.outbox.send(payload, kind="interactive")
    await product.rest()

    assert shown(product) == [offer]


async def test_nothing_is_offered_that_is_not_better_or_that_the_asker_may_not_read(product: Product) -> None:
    product.say("ines", "finance", "The billing service is deployed at 15:00 UTC.")
    await product.rest()

    await product.answer(product.ask("maya", "platform", QUESTION))
    await product.answer(product.ask("ines", "platform", "When is the billing service deployed?"))
    await product.answer(product.ask("ines", "athenaeum", QUESTION))

    assert shown(product) == []


async def test_a_question_that_is_deleted_gets_no_more_than_its_answer(product: Product) -> None:
    answer, offer = await offered(product, "ines")
    product.person("ines").delete("platform", answer.thread_ts or "")
    await product.rest()

    accept(product, "ines", offer)
    await product.rest()

    assert shown(product) == [offer]
