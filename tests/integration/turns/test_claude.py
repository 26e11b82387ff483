"""Claude answers, through the real SDK: what a person sees in Slack meanwhile."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer, Call, Fails, Request, Says, search_then_answer
from support.photograph import photograph
from support.product import QUESTION, Product, at_work, until
from support.stage import said


@pytest.fixture
async def product(sim: SlackSim, database_url: str, home: Path, anthropic: AnthropicServer) -> AsyncGenerator[Product]:
    async with at_work(
        sim,
        database_url,
        home,
        model="anthropic:claude-test",
        anthropic_api_key=KEY,
        anthropic_base_url=anthropic.url,
    ) as working:
        yield working


def words(text: str) -> str:
    """Without the marks of code, which are escaped until their other half has come."""
    return text.replace("\\", "").replace("`", "")


def slowly(request: Request) -> Says:
    return replace(search_then_answer(request), pace=0.3)


async def test_the_placeholder_tells_of_the_search_and_then_the_text_grows_in_it(
    product: Product, anthropic: AnthropicServer
) -> None:
    anthropic.script.append(Says(calls=(Call("search_documents", {"query": QUESTION}),)))
    anthropic.reply = slowly
    answer = await product.answer(product.ask("maya", "platform"))
    thinking, searching, *grown, final = product.seen[answer.ts]
    assert (thinking, searching) == ("Thinking…", "Searching documents…")
    assert final == "Run `athenaeum events retry ID` [1]."
    assert any(words(final).startswith(words(text)) and words(text) != words(final) for text in grown)
    assert list(product.seen) == [answer.ts]


async def test_the_answer_lists_its_sources_below(product: Product) -> None:
    answer = await product.answer(product.ask("maya", "platform"))
    assert "[1]" in said(answer)
    (sources,) = [block["elements"][0]["text"] for block in answer.blocks if block["type"] == "context"]
    assert "[1] <https://docs.example/operations#failed-events|Operations \u203a Failed events>" in sources
    assert "[S" not in said(answer) + sources


async def test_a_picture_of_the_question_is_seen_and_cited(product: Product, anthropic: AnthropicServer) -> None:
    anthropic.reply = lambda _: Says("A red barn [F1].")
    maya = product.person("maya")
    barn = maya.upload("barn.png", photograph("red"), mimetype="image/png")
    answer = await product.answer(maya.say("platform", f"{product.bot} What is this?", files=[barn]))
    pieces = anthropic.requests[0].body["messages"][0]["content"]
    (image,) = [piece["source"] for piece in pieces if piece["type"] == "image"]
    assert (image["media_type"], b64decode(image["data"])[:2]) == ("image/jpeg", b"\xff\xd8")
    assert said(answer) == "A red barn [1]."
    (sources,) = [block["elements"][0]["text"] for block in answer.blocks if block["type"] == "context"]
    assert f"/files/{maya.user.id}/{barn.id}/barn.png|barn.png" in sources


async def test_a_picture_that_the_model_refuses_costs_no_answer(product: Product, anthropic: AnthropicServer) -> None:
    anthropic.script.append(Fails(400, "invalid_request_error", "Could not process image"))
    anthropic.reply = lambda _: Says("I cannot see it.")
    maya = product.person("maya")
    barn = maya.upload("barn.png", photograph("red"), mimetype="image/png")
    answer = await product.answer(maya.say("platform", f"{product.bot} What is this?", files=[barn]))
    assert said(answer) == "I cannot see it."
    assert ['"image"' in request.shown for request in anthropic.requests] == [True, False]


async def test_a_provider_that_refuses_the_key_ends_in_one_sentence_to_the_asker(
    product: Product, anthropic: AnthropicServer
) -> None:
    anthropic.script.append(Fails(401, "authentication_error"))
    asked = product.ask("maya", "platform")
    await until(lambda: has_failed(product))
    (reply,) = product.replies(asked)
    assert "refused this workspace's key" in said(reply)
    assert "authentication_error" not in said(reply)


async def has_failed(product: Product) -> bool:
    return await product.turn_states() == ["failed"]
