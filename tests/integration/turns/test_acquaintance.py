"""The first question in a channel waits until its history was read; not for long."""

from __future__ import annotations

from datetime import timedelta

from athenaeum.agent.acquaintance import get_to_know
from athenaeum.conversations import turns
from athenaeum.conversations.refresh import refresh_channel
from athenaeum.domain.identity import ChannelId, MessageTs, turn_id
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


async def test_a_place_that_takes_long_to_be_read_is_not_waited_for_without_an_end(product: Product) -> None:
    asked = product.ask("maya", "platform")
    await product.answer(asked)
    product.fault("conversations.info", "slow", seconds=2)
    async with product.running.database.session(product.tenant.id) as session:
        turn = turn_id(product.tenant.id, ChannelId(asked.channel), MessageTs(asked.ts))
        question = await turns.question(session, await turns.look(session, turn))
        await refresh_channel(session, product.tenant.id, question.place.id, cause="a test")

    assert await get_to_know(product.running.database, question, patience=timedelta(seconds=0.2)) == question
    assert not await product.is_idle()
    await product.rest()
