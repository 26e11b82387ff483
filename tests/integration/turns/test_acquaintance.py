"""The first question in a channel waits until its history was read."""

from __future__ import annotations

from support.product import Product
from support.stage import said


async def test_the_first_question_in_a_channel_is_answered_from_what_was_said_there_before(product: Product) -> None:
    maya = product.person("maya")
    den = maya.create_channel("den", [], private=True)
    maya.say("den", "The codeword of the den is bergamot.")
    product.fault("conversations.history", "slow", times=2, seconds=0.5)

    product.sim.world.join(den, product.sim.world.app.user_id)
    answer = await product.answer(product.ask("maya", "den", "What is the codeword of the den?"))

    assert "bergamot" in said(answer)
