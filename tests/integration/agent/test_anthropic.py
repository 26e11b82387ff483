"""The real Anthropic client against a server on loopback that speaks the Messages API."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pydantic_ai.models import Model

from athenaeum.agent.citations import WITHHELD
from athenaeum.domain.turn import StepStarted, TextGrew
from athenaeum.errors import Refused, RetryLater
from athenaeum.llm.models import ModelKeys, build_model
from support.anthropic_server import KEY, AnthropicServer, BreaksOff, Call, Fails, Says, Stalls
from support.desk import Desk

NAME = "claude-test"


def claude(server: AnthropicServer, *, key: str = KEY, chain: str = "") -> Model[Any]:
    return build_model(f"anthropic:{NAME}{chain}", ModelKeys(anthropic_api_key=key, anthropic_base_url=server.url))


async def test_the_model_calls_both_searches_and_its_answer_is_cited(desk: Desk, anthropic: AnthropicServer) -> None:
    answer = await desk.answer(claude(anthropic))

    assert answer.text == "Run `athenaeum events retry ID` [1]."
    assert [citation.title for citation in answer.citations] == ["Operations \u203a Failed events"]
    assert "athenaeum events retry ID" in answer.citations[0].quote
    assert (answer.model, answer.usage.requests, answer.usage.tool_calls) == (NAME, 2, 2)
    assert answer.usage.input_tokens == 200


async def test_the_text_grows_and_never_shows_a_label(desk: Desk, anthropic: AnthropicServer) -> None:
    answer = await desk.answer(claude(anthropic))

    texts = [progress.text for progress in desk.seen if isinstance(progress, TextGrew)]
    assert len(texts) > 4
    assert not any("[S" in text for text in texts)
    assert texts[-1] == answer.text


async def test_progress_comes_in_the_order_of_the_work(desk: Desk, anthropic: AnthropicServer) -> None:
    await desk.answer(claude(anthropic))

    kinds = [type(progress) for progress in desk.seen]
    assert kinds.index(StepStarted) > kinds.index(TextGrew)
    assert kinds[-1] is TextGrew


async def test_the_prompt_names_the_ai_and_wraps_what_was_found(desk: Desk, anthropic: AnthropicServer) -> None:
    await desk.answer(claude(anthropic))

    first, second = anthropic.requests
    system = str(first.body["system"])
    assert "You are an AI, not a person" in system
    delimiter = system.partition("<<data ")[2].partition(" ")[0]
    assert f"<<data {delimiter} from a document [S" in second.shown
    assert f"<<end {delimiter}>>" in second.shown


async def test_a_rate_limit_waits_as_long_as_it_was_told_to(desk: Desk, anthropic: AnthropicServer) -> None:
    anthropic.script.append(Fails(429, "rate_limit_error", headers={"retry-after": "17"}))

    with pytest.raises(RetryLater) as caught:
        await desk.answer(claude(anthropic))

    assert caught.value.after == timedelta(seconds=17)
    assert len(anthropic.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(529, "overloaded_error"), (500, "api_error"), (503, "api_error")])
async def test_a_provider_in_trouble_is_tried_again_later(
    desk: Desk, anthropic: AnthropicServer, status: int, kind: str
) -> None:
    anthropic.script.append(Fails(status, kind))

    with pytest.raises(RetryLater) as caught:
        await desk.answer(claude(anthropic))

    assert caught.value.after is None
    assert len(anthropic.requests) == 1


@pytest.mark.parametrize("how", ["reset", "clean", "error"])
async def test_a_stream_that_breaks_off_is_tried_again_and_not_taken_for_an_answer(
    desk: Desk, anthropic: AnthropicServer, how: str
) -> None:
    anthropic.script.append(BreaksOff("Run `athenaeum ev", how))

    with pytest.raises(RetryLater):
        await desk.answer(claude(anthropic))

    assert await desk.steps() == ["prompt"]


async def test_after_a_stream_that_broke_off_the_next_attempt_pays_only_for_the_rest(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    searches = (Call("search_documents", {"query": "retry failed event"}),)
    anthropic.script.extend([Says(calls=searches), BreaksOff("Run")])
    with pytest.raises(RetryLater):
        await desk.answer(claude(anthropic))

    answer = await desk.answer(claude(anthropic))

    assert len(anthropic.requests) == 3
    assert answer.text == "Run `athenaeum events retry ID` [1]."


async def test_a_wrong_key_is_refused_and_the_reader_is_told_whom_to_ask(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    with pytest.raises(Refused) as caught:
        await desk.answer(claude(anthropic, key="wrong"))

    assert "refused this workspace's key" in caught.value.user_text
    assert "operator" in caught.value.user_text


async def test_a_chain_that_ends_offline_answers_with_a_wrong_key(desk: Desk, anthropic: AnthropicServer) -> None:
    answer = await desk.answer(claude(anthropic, key="wrong", chain=", offline"))

    assert "athenaeum events retry ID" in answer.text
    assert answer.model == "offline"


async def test_a_conversation_that_is_too_long_gets_advice(desk: Desk, anthropic: AnthropicServer) -> None:
    anthropic.script.append(Fails(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"))

    with pytest.raises(Refused) as caught:
        await desk.answer(claude(anthropic))

    assert "too long" in caught.value.user_text


async def test_an_unreachable_provider_is_tried_again_later(desk: Desk, anthropic: AnthropicServer) -> None:
    keys = ModelKeys(anthropic_api_key=KEY, anthropic_base_url="http://127.0.0.1:9")

    with pytest.raises(RetryLater):
        await desk.answer(build_model(f"anthropic:{NAME}", keys))


async def test_a_turn_can_be_cancelled_while_the_model_is_silent(desk: Desk, anthropic: AnthropicServer) -> None:
    anthropic.script.append(Stalls())
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(desk.answer(claude(anthropic)))
        await anthropic.arrived.wait()
        task.cancel()

    assert task.cancelled()
    assert await desk.steps() == ["prompt"]


async def test_a_label_that_was_never_shown_is_dropped(desk: Desk, anthropic: AnthropicServer) -> None:
    anthropic.script.append(Says("It is so [S9999]."))

    answer = await desk.answer(claude(anthropic))

    assert answer.text == "It is so."
    assert answer.citations == ()


async def test_what_rests_on_a_source_that_became_unreadable_is_not_said(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    anthropic.script.append(Says(calls=(Call("search_documents", {"query": "retry failed event"}),)))
    anthropic.script.append(Fails(529, "overloaded_error"))
    with pytest.raises(RetryLater):
        await desk.answer(claude(anthropic))
    await desk.put("docs")

    answer = await desk.answer(claude(anthropic))

    assert answer.text == WITHHELD
    assert answer.citations == ()


async def test_requests_and_tokens_are_counted_once_a_request(desk: Desk, anthropic: AnthropicServer) -> None:
    def counted() -> tuple[float, float]:
        seconds = REGISTRY.get_sample_value("athenaeum_model_seconds_count", {"model": NAME}) or 0
        tokens = {"model": NAME, "direction": "output"}
        return seconds, REGISTRY.get_sample_value("athenaeum_model_tokens_total", tokens) or 0

    before = counted()
    await desk.answer(claude(anthropic))
    await desk.answer(claude(anthropic))

    assert (counted()[0] - before[0], counted()[1] - before[1]) == (2, 40)
