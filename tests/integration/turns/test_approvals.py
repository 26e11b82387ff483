"""A tool that changes something asks first: what people see of it, and what their clicks do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from athenaeum.conversations import turns
from athenaeum.conversations.turns import Turn
from athenaeum.domain.identity import ChannelId, MessageTs, TurnId, turn_id
from athenaeum.slack.formatting import APPROVE, DENY
from athenaeum.worker.delivery import Delivery
from athenaeum.worker.handlers.turn import TurnHandler
from athenaeum.worker.janitor import Janitor
from slacksim.model import JsonObject, Message
from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer
from support.note_worker import DONE
from support.notes import NOTE, Board, search_post_answer
from support.product import Product, Via, at_work
from support.stage import ScriptedAgent, said

Begin = Callable[..., AbstractAsyncContextManager[Product]]
POSTED = [tuple(NOTE.values())]


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    """The tools of the product have one more, that changes something; the product itself has none yet."""
    board = Board()
    monkeypatch.setattr("athenaeum.agent.runner.build_toolset", board.toolset)
    return board


@pytest.fixture
async def anthropic() -> AsyncGenerator[AnthropicServer]:
    async with AnthropicServer() as server:
        server.reply = search_post_answer
        yield server


@pytest.fixture
def begin(sim: SlackSim, database_url: str, home: Path, anthropic: AnthropicServer, board: Board) -> Begin:
    assert not board.notes
    model = {"model": "anthropic:claude-test", "anthropic_api_key": KEY, "anthropic_base_url": anthropic.url}

    def begun(via: Via = "socket") -> AbstractAsyncContextManager[Product]:
        return at_work(sim, database_url, home, via=via, **model)

    return begun


@pytest.fixture
async def product(begin: Begin) -> AsyncGenerator[Product]:
    async with begin() as working:
        yield working


async def proposed(product: Product, channel: str = "platform", **where: Any) -> tuple[Message, Message]:
    """A question, and the message that asks its asker."""
    asked = product.ask("maya", channel, **where)
    await product.rest()
    (shown,) = product.replies(asked)
    assert buttons(shown) == [APPROVE, DENY]
    return asked, shown


def buttons(message: Message) -> list[str]:
    found = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [element["action_id"] for elements in found for element in elements]


def click(product: Product, name: str, message: Message, action: str = APPROVE) -> JsonObject:
    """Somebody presses a button; gives what Slack tells the app."""
    payload = product.person(name).click(message.channel, message.ts, action)
    deliver(product, payload)
    return payload


def deliver(product: Product, payload: JsonObject) -> None:
    product.sim.simulation.outbox.send(payload, kind="interactive")


def whispered(product: Product, name: str) -> list[str]:
    """What that person alone was shown."""
    user = product.person(name).user.id
    return [ephemeral.text for ephemeral in product.sim.world.state.ephemerals if ephemeral.user == user]


async def look(product: Product, asked: Message) -> Turn:
    turn = turn_of(product, asked)
    async with product.running.database.session(product.tenant.id) as session:
        return await turns.look(session, turn)


def turn_of(product: Product, asked: Message) -> TurnId:
    return turn_id(product.tenant.id, ChannelId(asked.channel), MessageTs(asked.ts))


async def tidy(product: Product) -> None:
    """A janitor's round, now."""
    database, clients = product.running.database, product.running.workspace.clients
    await Janitor(database, TurnHandler(database, ScriptedAgent(), Delivery(database, clients))).run_once()


async def change_row(product: Product, statement: str) -> None:
    assert await product.rows(f"{statement} RETURNING 1", own=True)


async def test_a_proposal_shows_what_would_be_done_and_leaves_nothing_running(product: Product, board: Board) -> None:
    _, shown = await proposed(product)

    text = str(shown.blocks)
    assert product.person("maya").user.id in text
    assert "Post a note" in text
    assert 'board: "kitchen"\\ntext: "The freeze is on Friday."' in text
    assert board.notes == []
    assert await product.turn_states() == ["parked"]
    await product.rest()


@pytest.mark.parametrize("via", ["socket", "http"])
async def test_what_is_approved_is_done_once_and_answered_in_the_same_message(
    begin: Begin, board: Board, via: Via
) -> None:
    async with begin(via) as product:
        asked, shown = await proposed(product)

        click(product, "maya", shown)
        answer = await product.answer(asked)

        assert board.notes == POSTED
        assert (answer.ts, said(answer), buttons(answer)) == (shown.ts, f"I heard: {DONE}", [])
        assert await product.turn_states() == ["delivered"]


async def test_what_is_denied_is_not_done_and_the_model_hears_of_it(product: Product, board: Board) -> None:
    asked, shown = await proposed(product)

    click(product, "maya", shown, DENY)
    answer = await product.answer(asked)

    assert board.notes == []
    assert "has seen this call and denied it" in said(answer)


async def test_a_proposal_in_a_direct_message_is_approved_alike(product: Product, board: Board) -> None:
    maya = product.person("maya").user.id
    channels = product.sim.world.channels.values()
    (direct,) = [channel.id for channel in channels if channel.kind == "im" and maya in channel.members]
    asked = product.say("maya", direct, "Post a note, please.")
    await product.rest()
    (shown,) = product.replies(asked)

    click(product, "maya", shown)

    assert said(await product.answer(asked)) == f"I heard: {DONE}"
    assert board.notes == POSTED


async def test_only_who_asked_may_decide(product: Product, board: Board) -> None:
    asked, shown = await proposed(product)

    click(product, "tom", shown)
    await product.rest()

    (refusal,) = whispered(product, "tom")
    assert refusal.startswith(f"Only <@{product.person('maya').user.id}> can decide this")
    assert board.notes == []
    assert await product.turn_states() == ["parked"]
    click(product, "maya", shown)
    assert said(await product.answer(asked)) == f"I heard: {DONE}"


async def test_a_second_click_changes_nothing(product: Product, board: Board) -> None:
    asked, shown = await proposed(product)
    first = click(product, "maya", shown)
    await product.rest()

    deny = {**first["actions"][0], "action_id": DENY, "action_ts": "1.2"}
    deliver(product, {**first, "actions": [deny]})
    answer = await product.answer(asked)

    assert board.notes == POSTED
    assert said(answer) == f"I heard: {DONE}"
    assert whispered(product, "maya") == ["You have decided this already. Your second click changed nothing."]


async def test_a_click_that_slack_brings_twice_is_one_click(product: Product, board: Board) -> None:
    asked, shown = await proposed(product)

    deliver(product, click(product, "maya", shown))

    assert said(await product.answer(asked)) == f"I heard: {DONE}"
    assert board.notes == POSTED


async def test_a_proposal_does_not_keep_the_next_question_of_its_thread_waiting(product: Product, board: Board) -> None:
    asked, shown = await proposed(product)
    second = product.ask("tom", "platform", "And who decides?", thread=asked)
    await product.rest()
    mine, other = product.replies(asked)

    assert (mine.ts, buttons(mine)) == (shown.ts, [APPROVE, DENY])
    assert f"<@{product.person('tom').user.id}>" in str(other.blocks)
    assert await product.turn_states() == ["parked", "parked"]
    click(product, "maya", shown)
    await product.rest()
    assert board.notes == POSTED
    assert (await look(product, asked)).finished_at is not None
    assert (await look(product, second)).finished_at is None


async def test_a_click_after_the_time_is_told_so_and_the_janitor_says_it_in_the_thread(
    product: Product, board: Board
) -> None:
    asked, shown = await proposed(product)
    await change_row(product, "UPDATE approvals SET expires_at = now() - interval '1 second'")

    click(product, "maya", shown)
    await product.rest()
    assert "It is too late for this" in whispered(product, "maya")[0]
    await tidy(product)
    await tidy(product)

    answer = await product.answer(asked)
    assert said(answer).startswith("I had asked you to approve this and heard nothing in time")
    assert buttons(answer) == []
    assert board.notes == []
    assert await product.turn_states() == ["failed"]


async def test_the_janitor_leaves_a_proposal_alone_that_has_time(product: Product) -> None:
    asked, shown = await proposed(product)
    await change_row(product, "UPDATE turns SET created_at = now() - interval '6 days'")

    await tidy(product)

    assert product.replies(asked) == [shown]
    assert await product.turn_states() == ["parked"]


async def test_who_deletes_the_question_is_not_asked_any_more(product: Product, board: Board) -> None:
    asked, _ = await proposed(product)

    product.person("maya").delete(asked.channel, asked.ts)
    await product.rest()

    assert product.replies(asked) == []
    assert await product.turn_states() == ["cancelled"]
    assert board.notes == []


async def test_a_button_of_somebody_else_and_a_made_up_approval_change_nothing(product: Product, board: Board) -> None:
    _, shown = await proposed(product)
    payload = product.person("maya").click(shown.channel, shown.ts, APPROVE)
    action = payload["actions"][0]

    for changed in (
        {"action_id": "other_app"},
        {"value": "not an id"},
        {"value": "00000000-0000-4000-8000-000000000009"},
    ):
        deliver(product, {**payload, "actions": [{**action, **changed}]})
    deliver(product, {**payload, "channel": {"id": "C0ELSEWHERE"}})
    await product.rest()

    assert board.notes == []
    assert await product.turn_states() == ["parked"]
