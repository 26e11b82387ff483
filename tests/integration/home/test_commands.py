"""`/athenaeum …`, typed by people of the simulated workspace: who sees the answer, and where a question goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from athenaeum.agent.prompts import Prompts
from athenaeum.agent.reception import Reception
from athenaeum.database.connection import DatabaseConnection
from athenaeum.gateway.commands import Commands
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.retrieval.index import Index
from athenaeum.slack.formatting import STOP
from athenaeum.tenants.limits.bucket import SENTENCE
from slacksim.model import Message
from slacksim.server import SlackSim
from support.product import QUESTION, Product, Via, at_work


async def type_in(product: Product, name: str, channel: str, words: str) -> str:
    """Type a command; gives what that person alone is shown for it."""
    before = len(product.sim.world.state.ephemerals)
    sim = product.sim
    await sim.simulation.commands.type(product.person(name), channel, f"/athenaeum {words}", url=sim.url)
    new = sim.world.state.ephemerals[before:]
    assert all(aside.user == product.person(name).user.id for aside in new)
    return "\n".join(
        [block["text"] for aside in new for block in aside.blocks if "text" in block] or [s.text for s in new]
    )


def direct(product: Product, name: str) -> list[Message]:
    """What the bot said to somebody outside of threads, in the direct message."""
    channel = product.person(name).open_direct([product.sim.world.app.user_id])
    return [channel.messages[ts] for ts in channel.timeline]


@pytest.mark.parametrize("via", ["socket", "http"])
async def test_a_typed_question_is_answered_once_in_the_direct_message(
    sim: SlackSim, database_url: str, home: Path, via: Via
) -> None:
    async with at_work(sim, database_url, home, via=via) as product:
        said = await type_in(product, "maya", "platform", f"ask {QUESTION}")
        await product.rest()

        assert said == "I answer you in our direct message."
        [root] = direct(product, "maya")
        assert QUESTION in root.text
        [answer] = product.replies(root)
        assert "athenaeum events retry" in str(answer.blocks)
        assert [message.ts for message in product.spoken()] == [root.ts, answer.ts]


async def test_a_question_goes_on_in_its_thread_without_a_mention(product: Product) -> None:
    await type_in(product, "tom", "finance", f"ask {QUESTION}")
    await product.rest()
    [root] = direct(product, "tom")
    product.say("tom", root.channel, "What is the acquisition budget called?", thread=root)
    await product.rest()

    assert len(product.replies(root)) == 2
    assert "heliotrope" in str(product.replies(root)[1].blocks)  # a direct message may be told what its person may read


async def test_the_words_of_a_typed_question_mean_nothing_where_they_are_shown(product: Product) -> None:
    await type_in(product, "maya", "platform", "ask <!channel> <https://evil.example/?d=1|look> xoxb-" + "1" * 24)
    await product.rest()

    [root] = direct(product, "maya")
    assert "<!channel>" not in root.text
    assert "xoxb-1" not in root.text + str(root.blocks)
    assert all(block["type"] in {"context", "section"} for block in root.blocks)
    assert {block["text"]["type"] for block in root.blocks if block["type"] == "section"} == {"plain_text"}


@pytest.mark.parametrize("remembers", [True, False])
async def test_a_post_whose_answer_is_lost_leaves_one_question_and_one_answer(
    product: Product, remembers: bool
) -> None:
    product.sim.simulation.faults.client_msg_ids_count = remembers
    product.fault("chat.postMessage", "drop_after")
    await type_in(product, "maya", "platform", f"ask {QUESTION}")
    await product.rest()

    [root] = direct(product, "maya")
    assert len(product.replies(root)) == 1


async def test_a_command_that_comes_twice_asks_once(product: Product) -> None:
    await type_in(product, "maya", "platform", f"ask {QUESTION}")
    [sent] = [each for each in product.sim.simulation.outbox.deliveries if each.type == "slash_commands"]
    product.sim.simulation.outbox.send(sent.payload, kind="slash_commands")
    await product.rest()

    assert len(direct(product, "maya")) == 1
    assert len(product.spoken()) == 2


async def test_who_asks_too_much_is_told_so_and_nothing_is_asked(sim: SlackSim, database_url: str, home: Path) -> None:
    async with at_work(sim, database_url, home, rate_limit=1) as product:
        first = await type_in(product, "maya", "platform", f"ask {QUESTION}")
        second = await type_in(product, "tom", "platform", f"ask {QUESTION}")
        await product.rest()

        assert (first, second) == ("I answer you in our direct message.", SENTENCE)
        assert direct(product, "tom") == []
        [[kept]] = await product.rows("SELECT count(*) FROM commands", own=True)
        assert kept == 1


async def test_what_needs_no_model_is_said_to_who_typed_it(product: Product) -> None:
    asked = product.ask("maya", "platform")
    await product.answer(asked)
    told = {word: await type_in(product, "maya", "platform", word) for word in ("", "whoami", "sources", "settings")}

    assert "/athenaeum ask" in told[""]
    assert "Maya Chen" in told["whoami"]
    assert "For my last answer here I used [1]" in told["sources"]
    assert "In this channel I answer what mentions me." in told["settings"]
    assert "30 minutes" in told["settings"]
    assert "don't know that command" in await type_in(product, "maya", "platform", "dance")
    assert "ask What was decided" in await type_in(product, "maya", "platform", "ask")
    assert "I have not answered anything here yet." in await type_in(product, "tom", "platform", "sources")
    assert len(product.spoken()) == 1


async def test_mute_and_forget_hold_for_the_threads_of_the_channel(product: Product) -> None:
    asked = product.ask("maya", "platform")
    await product.answer(asked)

    assert "no longer listen" in await type_in(product, "maya", "platform", "mute")
    product.say("maya", "platform", QUESTION, thread=asked)
    await product.rest()
    assert len(product.replies(asked)) == 1
    assert "listen in the threads here again" in await type_in(product, "maya", "platform", "unmute")
    product.say("maya", "platform", QUESTION, thread=asked)
    await product.rest()
    assert len(product.replies(asked)) == 2
    assert "go on without" in await type_in(product, "maya", "platform", "forget")
    product.say("maya", "platform", QUESTION, thread=asked)
    await product.rest()
    assert len(product.replies(asked)) == 2  # who was told to forget listens no more
    [[forgotten]] = await product.rows("SELECT count(*) FROM threads WHERE forgotten_ts IS NOT NULL", own=True)
    assert forgotten == 2  # the thread, and what is said outside of threads


async def test_a_database_that_is_away_is_said_in_one_sentence() -> None:
    async with DatabaseConnection("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1) as away:
        desk = Reception(away, Index(away, None), Prompts())
        listener = Listener(away, Intake(away), Commands(away, desk))
        form = {"command": "/athenaeum", "text": "whoami", "team_id": "T1", "user_id": "U1", "channel_id": "C1"}

        shown = await listener.answer({**form, "trigger_id": "1.2.3"}, transport="http")

    assert shown == {
        "response_type": "ephemeral",
        "text": "I could not do this just now. Please try again in a moment.",
    }


async def test_settings_is_a_word_in_messages_too(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform", "settings"))

    shown = str(answer.blocks)
    assert "In this channel I answer what mentions me." in shown
    assert STOP not in shown
