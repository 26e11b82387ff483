"""A turn that is interrupted goes on where it stopped, and pays for no step twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic_ai.models import Model

from athenaeum.domain.identity import LeaseToken
from athenaeum.domain.turn import Progress, StepStarted
from athenaeum.errors import LeaseLost
from athenaeum.llm.models import ModelKeys, build_model
from athenaeum.llm.offline import OfflineModel
from support.anthropic_server import KEY, AnthropicServer, Says, Stalls, search_then_answer
from support.desk import FENCE, Desk

DOCUMENTS, MESSAGES = "Searching documents…", "Searching messages…"


def claude(server: AnthropicServer) -> Model[Any]:
    return build_model("anthropic:claude-test", ModelKeys(anthropic_api_key=KEY, anthropic_base_url=server.url))


async def cancelled_at_request(desk: Desk, server: AnthropicServer, number: int) -> None:
    """Cancel the first attempt while it waits for the model's response of that number."""
    server.reply = lambda request: Stalls() if len(server.requests) == number else search_then_answer(request)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(desk.answer(claude(server)))
        while len(server.requests) < number:
            await server.arrived.wait()
            server.arrived.clear()
        task.cancel()
    assert task.cancelled()
    server.reply = search_then_answer


async def cancelled_at_tool(desk: Desk, server: AnthropicServer, label: str) -> None:
    """Cancel the first attempt when a tool is about to run."""

    async def interrupt(progress: Progress) -> None:
        if progress == StepStarted(label):
            raise asyncio.CancelledError

    desk.interrupt = interrupt
    with pytest.raises(asyncio.CancelledError):
        await desk.answer(claude(server))
    desk.interrupt = None


async def test_every_step_is_recorded_in_its_order(desk: Desk, anthropic: AnthropicServer) -> None:
    await desk.answer(claude(anthropic))

    assert await desk.steps() == [
        "prompt",
        "model.request_stream",
        "function_toolset__tools.call_tool:search_documents",
        "function_toolset__tools.call_tool:search_messages",
        "model.request_stream",
    ]


async def test_a_second_run_of_a_finished_turn_gives_the_same_answer_without_any_work(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    first = await desk.answer(claude(anthropic))

    second = await desk.answer(claude(anthropic))

    assert second == first
    assert len(anthropic.requests) == 2
    assert len(desk.index.searches) == 2


@pytest.mark.parametrize("number", [1, 2])
async def test_cancelled_in_a_model_request_only_that_request_is_made_again(
    desk: Desk, anthropic: AnthropicServer, number: int
) -> None:
    await cancelled_at_request(desk, anthropic, number)

    answer = await desk.answer(claude(anthropic))

    assert answer.text == "Run `athenaeum events retry ID` [1]."
    assert len(anthropic.requests) == 3
    assert len(desk.index.searches) == 2
    assert answer.usage.requests == 2


@pytest.mark.parametrize("label", [DOCUMENTS, MESSAGES])
async def test_cancelled_before_a_tool_call_nothing_is_done_twice(
    desk: Desk, anthropic: AnthropicServer, label: str
) -> None:
    await cancelled_at_tool(desk, anthropic, label)

    answer = await desk.answer(claude(anthropic))

    assert answer.text == "Run `athenaeum events retry ID` [1]."
    assert len(anthropic.requests) == 2
    assert len(desk.index.searches) == 2


async def test_an_answer_that_was_interrupted_cites_what_the_first_attempt_found(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    await cancelled_at_request(desk, anthropic, 2)

    answer = await desk.answer(claude(anthropic))

    assert [citation.url for citation in answer.citations] == ["https://docs.example/operations#failed-events"]


async def test_the_retry_tells_the_model_the_same_words(desk: Desk, anthropic: AnthropicServer) -> None:
    await cancelled_at_request(desk, anthropic, 2)

    await desk.answer(claude(anthropic))

    _, stalled, again = anthropic.requests
    assert again.body == stalled.body


async def test_the_offline_model_is_journaled_alike(desk: Desk) -> None:
    first = await desk.answer(OfflineModel())
    second = await desk.answer(OfflineModel())

    assert second == first
    assert len(desk.index.searches) == 2


async def test_without_the_lease_nothing_is_asked_and_nothing_written(desk: Desk, anthropic: AnthropicServer) -> None:
    with pytest.raises(LeaseLost):
        await desk.answer(claude(anthropic), fence=LeaseToken(FENCE - 1))

    assert anthropic.requests == []
    assert await desk.steps() == []


async def test_a_lease_that_is_lost_in_the_middle_stops_the_turn_before_the_next_step_is_written(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    async def taken_over(progress: Progress) -> None:
        if progress == StepStarted(MESSAGES):
            await desk.execute("UPDATE turns SET fence = fence + 1")

    desk.interrupt = taken_over
    with pytest.raises(LeaseLost):
        await desk.answer(claude(anthropic))

    assert (await desk.steps())[-1] == "function_toolset__tools.call_tool:search_documents"
    assert len(anthropic.requests) == 1


async def test_the_new_owner_goes_on_from_the_steps_of_the_old(desk: Desk, anthropic: AnthropicServer) -> None:
    await cancelled_at_request(desk, anthropic, 2)
    await desk.execute("UPDATE turns SET fence = fence + 1")

    answer = await desk.answer(claude(anthropic), fence=LeaseToken(FENCE + 1))

    assert len(anthropic.requests) == 3
    assert answer.citations


async def test_what_jsonb_cannot_hold_does_not_stop_a_turn(desk: Desk, anthropic: AnthropicServer) -> None:
    anthropic.script.append(Says("It is \x00 so \ud83d."))

    answer = await desk.answer(claude(anthropic))

    assert answer.text == "It is  so ."
