"""Messages that a question links to are read with it, by the rule of who reads the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from slacksim.api.chat import address
from slacksim.model import Message
from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer, Says
from support.product import COMPANY, Product, at_work


@pytest.fixture
def company() -> dict[str, Any]:
    return COMPANY


@pytest.fixture
async def anthropic() -> AsyncGenerator[AnthropicServer]:
    async with AnthropicServer() as server:
        server.reply = lambda _: Says("I have read it.")
        yield server


@pytest.fixture
async def product(sim: SlackSim, database_url: str, home: Path, anthropic: AnthropicServer) -> AsyncGenerator[Product]:
    claude: dict[str, Any] = {
        "model": "anthropic:claude-test",
        "anthropic_api_key": KEY,
        "anthropic_base_url": anthropic.url,
    }
    async with at_work(sim, database_url, home, **claude) as working:
        yield working


def said_in(product: Product, channel: str, words: str) -> Message:
    found = product.sim.world.find_channel(channel)
    assert found is not None
    return next(message for message in found.messages.values() if words in message.text)


async def test_what_a_question_links_to_is_read_where_everyone_may_read_it(
    product: Product, anthropic: AnthropicServer
) -> None:
    root, secret = said_in(product, "platform", "about incidents"), said_in(product, "finance", "heliotrope")
    reply = said_in(product, "platform", "approves a rollback")
    await product.rest()

    async def told(place: str, *messages: Message) -> str:
        anthropic.requests.clear()
        links = " ".join(address(product.sim.url, message) for message in messages)
        await product.answer(product.ask("ines", place, f"What do you think of {links} ?"))
        return "".join(request.sent.decode() for request in anthropic.requests)

    in_channel = await told("board", reply, secret)
    assert "approves a rollback" in in_channel
    assert root.text in in_channel
    assert "The thread that it stands in:" in in_channel
    assert "heliotrope" not in in_channel
    assert "One message that the question links to is not shown to you" in in_channel

    alone = await told("athenaeum", secret)
    assert "heliotrope" in alone
    assert "is not shown to you" not in alone
