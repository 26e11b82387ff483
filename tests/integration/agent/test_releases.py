"""Two attempts at a turn by different releases: what was recorded is used where it belongs, and nowhere else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.models import Model

from athenaeum.agent.journal import CHANGED
from athenaeum.agent.prompts import CONTEXT, Prompts
from athenaeum.domain.turn import Answer, Progress, StepStarted
from athenaeum.errors import Refused, RetryLater
from athenaeum.llm.models import ModelKeys, build_model
from athenaeum.tools.toolset import build_toolset
from support.anthropic_server import KEY, AnthropicServer, Call, Fails, Says
from support.desk import Desk
from support.note_worker import DONE
from support.notes import NOTE, TOOL, Board, search_post_answer

MESSAGES = "Searching messages…"


def claude(server: AnthropicServer, name: str = "claude-test") -> Model[Any]:
    return build_model(f"anthropic:{name}", ModelKeys(anthropic_api_key=KEY, anthropic_base_url=server.url))


async def stop() -> None:
    raise asyncio.CancelledError


async def stopped_at_second_tool(desk: Desk, model: Model[Any]) -> None:
    """An attempt that dies after the prompt, one model request and one tool call were recorded."""

    async def interrupt(progress: Progress) -> None:
        if progress == StepStarted(MESSAGES):
            await stop()

    desk.interrupt = interrupt
    with pytest.raises(asyncio.CancelledError):
        await desk.answer(model)
    desk.interrupt = None


async def stopped_after_note(desk: Desk, server: AnthropicServer) -> Board:
    """An attempt that posted a note, had it recorded, and died in the model request after it."""
    board = Board()
    desk.toolset, server.reply = board.toolset(), search_post_answer
    await desk.decide(claude(server))
    server.script.append(Fails(529, "overloaded_error"))
    with pytest.raises(RetryLater):
        await desk.answer(claude(server))
    assert board.notes == [tuple(NOTE.values())]
    return board


async def test_a_step_notes_the_prompts_the_tools_and_the_model_that_made_it(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    await desk.answer(claude(anthropic))

    rows = await desk.execute("SELECT name, prompts, tools, model, inputs FROM steps ORDER BY finished_at, seq")
    assert {(row.prompts, row.tools) for row in rows} == {(rows[0].prompts, rows[0].tools)}
    assert len(rows[0].prompts) == len(rows[0].tools) == 16
    assert [row.model for row in rows] == [None, "claude-test", None, None, "claude-test"]
    assert len({row.inputs for row in rows}) == len(rows)


async def test_a_turn_goes_on_in_the_words_it_began_with_when_the_prompt_was_changed(
    desk: Desk, anthropic: AnthropicServer, tmp_path: Path
) -> None:
    await stopped_at_second_tool(desk, claude(anthropic))
    (tmp_path / CONTEXT).write_text("Something else entirely.")
    desk.prompts = Prompts(tmp_path)

    await desk.answer(claude(anthropic))

    first, second = anthropic.requests
    assert second.body["system"] == first.body["system"]
    assert second.body["messages"][:1] == first.body["messages"]
    noted = await desk.execute("SELECT prompts FROM steps ORDER BY finished_at, seq")
    assert [row.prompts for row in noted] == [Prompts().version] * 3 + [desk.prompts.version] * 2


async def test_a_turn_that_begins_after_the_change_is_told_the_new_words(
    desk: Desk, anthropic: AnthropicServer, tmp_path: Path
) -> None:
    (tmp_path / CONTEXT).write_text("Something else entirely.")
    desk.prompts = Prompts(tmp_path)

    await desk.answer(claude(anthropic))

    assert "Something else entirely." in anthropic.requests[0].shown


async def test_what_one_model_said_is_not_asked_of_another_again(desk: Desk, anthropic: AnthropicServer) -> None:
    await stopped_at_second_tool(desk, claude(anthropic))

    await desk.answer(claude(anthropic, "claude-next"))

    assert [request.body["model"] for request in anthropic.requests] == ["claude-test", "claude-next"]
    assert await desk.execute("SELECT model FROM steps WHERE model IS NOT NULL ORDER BY seq") == [
        ("claude-test",),
        ("claude-next",),
    ]


async def test_what_was_said_after_a_tool_that_is_gone_is_not_put_into_the_mouth_of_the_new_conversation(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    anthropic.script.append(Says("Let me look.", (Call("search_messages", {"query": "retry failed event"}),)))
    anthropic.script.append(Says("Once more.", (Call("search_documents", {"query": "retry failed event"}),)))
    anthropic.script.append(Fails(529, "overloaded_error"))
    with pytest.raises(RetryLater):
        await desk.answer(claude(anthropic))
    desk.toolset = build_toolset()
    del desk.toolset.tools["search_messages"]
    anthropic.requests.clear()

    answer = await desk.answer(claude(anthropic))

    assert "Unknown tool name" in anthropic.requests[0].shown
    assert "Once more." not in anthropic.requests[-1].shown
    assert answer.text.startswith("Run `athenaeum events retry ID`")
    assert await desk.steps() == ["prompt", *["model.request_stream"] * 2]


async def test_a_reworded_question_is_not_answered_with_what_was_said_to_the_former_one(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    await stopped_at_second_tool(desk, claude(anthropic))

    await desk.answer(claude(anthropic), "How do I install it?")

    assert "How do I install it?" in anthropic.requests[1].shown
    assert len(anthropic.requests[1].body["messages"]) == 1


async def test_steps_without_a_fingerprint_are_made_again(desk: Desk, anthropic: AnthropicServer) -> None:
    await stopped_at_second_tool(desk, claude(anthropic))
    await desk.execute("UPDATE steps SET inputs = ''")

    await desk.answer(claude(anthropic))

    assert len(anthropic.requests) == 3


async def test_a_step_that_cannot_be_read_any_more_is_made_again_by_the_next_attempt(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    await stopped_at_second_tool(desk, claude(anthropic))
    await desk.execute("""UPDATE steps SET result = '{"of": "another age"}' WHERE model IS NOT NULL""")
    with pytest.raises(RetryLater, match="another release"):
        await desk.answer(claude(anthropic))

    answer = await desk.answer(claude(anthropic))

    assert isinstance(answer, Answer)
    assert len(anthropic.requests) == 3


async def test_a_change_that_is_on_record_is_not_made_again(desk: Desk, anthropic: AnthropicServer) -> None:
    board = await stopped_after_note(desk, anthropic)

    answer = await desk.answer(claude(anthropic))

    assert answer.text == f"I heard: {DONE}"
    assert board.notes == [tuple(NOTE.values())]


async def test_a_turn_that_had_changed_something_ends_when_its_conversation_is_not_the_same_any_more(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    board = await stopped_after_note(desk, anthropic)
    desk.toolset = build_toolset()
    anthropic.requests.clear()

    with pytest.raises(Refused, match=TOOL) as refused:
        await desk.answer(claude(anthropic))

    assert refused.value.user_text == CHANGED
    assert anthropic.requests == []
    assert len(board.notes) == 1
    assert f"function_toolset__tools.call_tool:{TOOL}" in await desk.steps()


async def test_a_change_whose_end_is_not_on_record_is_not_begun_again(desk: Desk, anthropic: AnthropicServer) -> None:
    board = Board(meanwhile=stop)
    desk.toolset, anthropic.reply = board.toolset(), search_post_answer
    await desk.decide(claude(anthropic))
    with pytest.raises(asyncio.CancelledError):
        await desk.answer(claude(anthropic))

    first = await desk.answer(claude(anthropic))
    second = await desk.answer(claude(anthropic))

    assert board.notes == [tuple(NOTE.values())]
    assert "not known whether it was done" in first.text
    assert second == first


async def test_a_change_that_says_it_did_nothing_yet_is_tried_again(desk: Desk, anthropic: AnthropicServer) -> None:
    async def busy() -> None:
        board.before = None
        raise RetryLater("the board is being wiped")

    board = Board(before=busy)
    desk.toolset, anthropic.reply = board.toolset(), search_post_answer
    await desk.decide(claude(anthropic))
    with pytest.raises(RetryLater, match="wiped"):
        await desk.answer(claude(anthropic))

    answer = await desk.answer(claude(anthropic))

    assert answer.text == f"I heard: {DONE}"
    assert len(board.notes) == 1


async def test_a_change_that_breaks_in_its_middle_is_told_as_doubtful(desk: Desk, anthropic: AnthropicServer) -> None:
    async def broken() -> None:
        raise ValueError("a secret detail")

    board = Board(meanwhile=broken)
    desk.toolset, anthropic.reply = board.toolset(), search_post_answer
    await desk.decide(claude(anthropic))

    answer = await desk.answer(claude(anthropic))

    assert "not known whether this was done" in answer.text
    assert "a secret detail" not in answer.text
