"""A colleague's manners, through Slack: it listens where it was asked, and knows when it isn't spoken to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from athenaeum.conversations import modes
from athenaeum.domain.channel import Mode
from athenaeum.domain.identity import ChannelId
from slacksim.model import Message
from slacksim.server import SlackSim
from support.product import COMPANY, QUESTION, Product, at_work, until
from support.stage import said

DEPLOYED = "When is the billing service deployed?"
RETRY = "athenaeum events retry ID"


@pytest.fixture
def company() -> dict[str, Any]:
    return COMPANY


async def shown(product: Product, asked: Message, count: int) -> list[Message]:
    await product.rest()
    replies = product.replies(asked)
    assert len(replies) == count, [said(reply) for reply in replies]
    return replies


async def test_a_thread_goes_on_without_mentions_until_people_talk_to_each_other(product: Product) -> None:
    root = product.ask("maya", "platform")
    await shown(product, root, 1)
    product.say("maya", "platform", "thanks!", thread=root)
    product.say("tom", "platform", DEPLOYED, thread=root)
    _, second = await shown(product, root, 2)
    assert "14:00 UTC" in said(second)

    tom = product.person("tom").user.id
    for name, words in (("maya", f"<@{tom}> did you try it?"), ("tom", "not yet, how?"), ("maya", "Tom, ask Ines?")):
        product.say(name, "platform", words, thread=root)
        await shown(product, root, 2)


async def test_messages_in_a_row_get_one_answer_to_all_of_them(product: Product) -> None:
    product.fault("chat.update", "slow", seconds=0.5)
    root = product.ask("tom", "platform")

    async def is_shown() -> bool:
        return bool(product.replies(root))

    await until(is_shown)
    first = product.say("maya", "platform", "One more thing, please:", thread=root)
    await product.opened(first)
    product.say("maya", "platform", DEPLOYED, thread=root)
    _, answer = await shown(product, root, 2)
    assert "14:00 UTC" in said(answer)
    assert len(await product.turn_states()) == 2


async def test_a_deleted_question_takes_its_answer_with_it(product: Product) -> None:
    root = product.say("tom", "platform", "The queue has failed events.")
    asked = product.ask("maya", "platform", thread=root)
    await shown(product, root, 1)
    product.person("maya").delete("platform", asked.ts)
    await shown(product, root, 0)
    [(question, answer, state)] = await product.rows("SELECT question, answer ->> 'text', state FROM turns", own=True)
    assert (question, answer, state) == ("", "", "cancelled")
    assert await product.rows("SELECT 1 FROM steps", own=True) == []


async def test_where_slack_deletes_nothing_the_answer_says_that_it_is_gone(product: Product) -> None:
    root = product.say("tom", "platform", "The queue has failed events.")
    asked = product.ask("maya", "platform", thread=root)
    await shown(product, root, 1)
    product.fault("chat.delete", "error", error="cant_delete_message", times=1)
    product.person("maya").delete("platform", asked.ts)
    (tombstone,) = await shown(product, root, 1)
    assert said(tombstone) == "This answer was removed: its question was deleted."


async def test_keywords_are_answered_without_a_model(product: Product) -> None:
    root = product.ask("maya", "platform")
    await shown(product, root, 1)
    words = ("whoami", "sources", "help", "mute", "unmute", "forget")
    for count, word in enumerate(words, start=2):
        product.ask("maya", "platform", word, thread=root)
        await shown(product, root, count)

    whoami, sources, help_, mute, unmute, forget = (said(reply) for reply in product.replies(root)[1:])
    assert "You are Maya Chen" in whoami
    assert "I listen without a mention until" in whoami
    assert "I used [1]" in sources
    assert help_.count("•") + help_.count("- ") >= 3
    assert "no longer listen" in mute
    assert "listen in this thread again" in unmute
    assert "I have deleted nothing" in forget
    models = await product.rows("SELECT DISTINCT answer ->> 'model' FROM turns WHERE question <> 'x'", own=True)
    assert sorted(models) == [("",), ("offline",)]


async def test_what_was_forgotten_is_not_told_with_the_next_question(product: Product) -> None:
    root = product.ask("maya", "platform", "What is the codename heliotrope?")
    await shown(product, root, 1)
    product.ask("maya", "platform", "forget", thread=root)
    await shown(product, root, 2)
    asked = product.ask("maya", "platform", DEPLOYED, thread=root)
    await shown(product, root, 3)
    [(prompt,)] = await product.rows(
        "SELECT result ->> 'context' FROM steps JOIN turns USING (tenant_id, turn_id)"
        f" WHERE name = 'prompt' AND message_ts = '{asked.ts}'",
        own=True,
    )
    assert "codename" not in prompt


async def test_sources_shows_no_more_than_everyone_may_read(product: Product) -> None:
    asked = product.say("ines", "athenaeum", "What is the codename of the acquisition budget?")
    await product.answer(asked)
    product.say("ines", "athenaeum", "sources", thread=asked)
    _, sources = await shown(product, asked, 2)
    assert "finance" in str(sources.blocks)

    channel = product.sim.world.find_channel("finance")
    assert channel is not None
    product.sim.world.leave(channel, product.person("ines").user.id)
    await product.rest()
    product.say("ines", "athenaeum", "sources", thread=asked)
    _, _, fewer = await shown(product, asked, 3)
    assert "finance" not in str(fewer.blocks)
    assert "can no longer be read" in said(fewer)


async def test_stop_ends_an_answer_that_is_being_made(sim: SlackSim, database_url: str, home: Path) -> None:
    async with at_work(sim, database_url, home, worker_pool_size=1) as product:
        product.fault("chat.postMessage", "slow", seconds=3)
        root = product.ask("maya", "platform")
        await product.opened(root)
        product.say("maya", "platform", "stop", thread=root)
        (stopped,) = await shown(product, root, 1)
        assert said(stopped) == "Stopped."
        assert await product.turn_states() == ["stopped"]


async def test_a_suggestion_is_seen_by_the_writer_alone_and_only_when_there_is_one(product: Product) -> None:
    channel = product.sim.world.find_channel("platform")
    assert channel is not None
    async with product.running.database.session(product.tenant.id) as session:
        await modes.set_mode(session, ChannelId(channel.id), Mode.SUGGEST)
    asked = product.say("maya", "platform", QUESTION)
    product.say("tom", "platform", "Which xylophone?")
    await product.rest()

    assert product.spoken() == []
    (whisper,) = product.sim.world.state.ephemerals
    assert (whisper.user, whisper.channel) == (asked.user, asked.channel)
    assert RETRY in whisper.text
