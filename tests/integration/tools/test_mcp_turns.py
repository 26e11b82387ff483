"""Whole turns through a simulated Slack in which the model uses the tools of other servers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web
from sqlalchemy import text

from athenaeum.agent.standing import WITHHELD
from athenaeum.slack.formatting import APPROVE
from slacksim.model import Message
from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer, Call, Request, Says
from support.product import Product, at_work
from support.stage import said
from support.tool_server import SEARCH, ToolServer, approving, definition, write_file

Begin = Callable[..., AbstractAsyncContextManager[Product]]
TOOL = f"tracker__{SEARCH}"
FOUND = "Issue 7: the importer stops at dawn."


@pytest.fixture
async def tracker() -> AsyncGenerator[ToolServer]:
    async with ToolServer() as server:
        server.answer = lambda _: FOUND
        yield server


@pytest.fixture
def begin(sim: SlackSim, database_url: str, tmp_path: Path, anthropic: AnthropicServer, tracker: ToolServer) -> Begin:
    anthropic.reply = ask_the_tracker

    def begun(**settings: Any) -> AbstractAsyncContextManager[Product]:
        file = write_file(tmp_path, tracker=approving(definition(), url=tracker.url, **settings))
        model: dict[str, Any] = {
            "model": "anthropic:claude-test",
            "anthropic_api_key": KEY,
            "anthropic_base_url": anthropic.url,
        }
        return at_work(sim, database_url, tmp_path / "home", **model, mcp_config=file)

    return begun


def ask_the_tracker(request: Request) -> Says:
    """The tracker's tool, where there is one, and what it told."""
    results = [block for block in request.body["messages"][-1]["content"] if block["type"] == "tool_result"]
    if results:
        content = results[0]["content"]
        return Says(f"I heard: {content if isinstance(content, str) else content[0]['text']}")
    if TOOL not in [tool["name"] for tool in request.body["tools"]]:
        return Says("I have no tracker here.")
    return Says("Let me look.", (Call(TOOL, {"query": "importer"}),))


def click(product: Product, name: str, message: Message) -> None:
    payload = product.person(name).click(message.channel, message.ts, APPROVE)
    product.sim.simulation.outbox.send(payload, kind="interactive")


async def test_an_answer_from_a_servers_tool_is_seen_in_the_thread_and_health_names_the_server(
    begin: Begin, tracker: ToolServer
) -> None:
    async with begin() as product:
        asked = product.ask("maya", "platform", "What is wrong with the importer?")
        answer = await product.answer(asked)

        assert FOUND in said(answer)
        assert tracker.calls == [(SEARCH, {"query": "importer"})]
        async with httpx2.AsyncClient(base_url=product.running.address) as client:
            assert (await client.get("/health")).json()["mcp"] == {
                "status": "up",
                "connected": 1,
                "servers": 1,
            }


async def test_a_tool_that_may_change_something_waits_for_the_askers_click(begin: Begin, tracker: ToolServer) -> None:
    async with begin(changes=True) as product:
        asked = product.ask("maya", "platform", "What is wrong with the importer?")
        await product.rest()
        (proposal,) = product.replies(asked)
        assert f"Call {SEARCH} of tracker" in str(proposal.blocks)
        assert tracker.calls == []

        click(product, "maya", proposal)
        answer = await product.answer(asked)

        assert (answer.ts, FOUND in said(answer)) == (proposal.ts, True)
        assert len(tracker.calls) == 1


async def test_where_a_stranger_is_by_the_time_of_the_answer_nobody_is_told_what_is_for_members(
    begin: Begin, tracker: ToolServer
) -> None:
    async with begin() as product:

        async def invite(request: web.Request) -> None:
            if '"tools/call"' in await request.text():
                async with product.running.database.session(product.tenant.id) as session:
                    await session.execute(text("UPDATE slack_users SET is_guest = true WHERE name = 'tom'"))

        tracker.before = invite
        answer = await product.answer(product.ask("maya", "platform", "What is wrong with the importer?"))

        assert len(tracker.calls) == 1
        assert said(answer) == WITHHELD
        tracker.before = None
        answer = await product.answer(product.ask("maya", "platform", "And now?"))
        assert said(answer) == "I have no tracker here."
