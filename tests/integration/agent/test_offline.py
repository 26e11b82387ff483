"""The whole way of a question through the agent without a hosted model."""

from __future__ import annotations

from athenaeum.domain.passage import Origin
from athenaeum.domain.turn import StepStarted, TextGrew
from athenaeum.llm.offline import OfflineModel
from athenaeum.retrieval.passages import NewPassage
from support.desk import GENERAL, SECRET, Desk


async def test_the_command_that_was_asked_for_is_quoted_with_its_source(desk: Desk) -> None:
    answer = await desk.answer(OfflineModel())

    assert "athenaeum events retry ID" in answer.text
    assert "[1]" in answer.text
    assert answer.citations[0].url == "https://docs.example/operations#failed-events"
    assert "athenaeum events retry ID" in answer.citations[0].quote
    assert answer.model == "offline"


async def test_it_says_that_it_is_a_search(desk: Desk) -> None:
    answer = await desk.answer(OfflineModel())

    assert answer.text.startswith("I am running without a language model, so I searched")


async def test_it_says_plainly_that_nothing_was_found(desk: Desk) -> None:
    answer = await desk.answer(OfflineModel(), "What is the capital of France?")

    assert "I found nothing about this" in answer.text
    assert answer.citations == ()


async def test_the_same_question_gets_the_same_answer(desk: Desk) -> None:
    first = await desk.answer(OfflineModel())
    await desk.execute("DELETE FROM steps")
    second = await desk.answer(OfflineModel())

    assert first == second


async def test_each_search_is_announced_and_the_text_shown_with_numbers(desk: Desk) -> None:
    answer = await desk.answer(OfflineModel())

    started = [progress.label for progress in desk.seen if isinstance(progress, StepStarted)]
    texts = [progress.text for progress in desk.seen if isinstance(progress, TextGrew)]
    assert started == ["Searching documents…", "Searching messages…"]
    assert texts[-1] == answer.text


async def test_a_message_that_the_audience_may_not_read_is_not_quoted(desk: Desk) -> None:
    await desk.put(
        "open", NewPassage(Origin.MESSAGE, "#general", "The zebra rollout is on Monday.", channel_id=GENERAL)
    )
    await desk.put("shut", NewPassage(Origin.MESSAGE, "#secret", "The zebra rollout failed.", channel_id=SECRET))

    answer = await desk.answer(OfflineModel(), "When is the zebra rollout?")

    assert "on Monday" in answer.text
    assert "failed" not in answer.text


async def test_a_mention_without_words_is_answered_with_help_and_no_model(desk: Desk) -> None:
    answer = await desk.answer(OfflineModel(), "  ")

    assert "I am an AI" in answer.text
    assert answer.text.count("\n- ") == 3
    assert answer.usage.requests == 0
    assert await desk.steps() == []
