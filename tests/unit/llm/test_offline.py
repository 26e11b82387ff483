from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from athenaeum.domain.identity import PassageId
from athenaeum.domain.passage import Origin, Passage
from athenaeum.llm.offline import answer_from

RETRY = Passage(
    id=PassageId(12),
    origin=Origin.DOCUMENT,
    title="Operations",
    heading="Failed events",
    url="https://docs.example/operations",
    text="Retry a failed event with `athenaeum events retry ID`.",
    score=0.9,
)
MESSAGE = Passage(
    id=PassageId(40),
    origin=Origin.MESSAGE,
    title="#operations",
    heading="",
    url="https://example.slack.com/archives/C1/p1",
    text="I had to retry every failed event by hand yesterday.",
    score=0.5,
    written_at=datetime(2024, 5, 3, tzinfo=UTC),
    author="Ana",
)
QUESTION = "How do I retry a failed event?"


def test_a_quote_carries_its_label_and_where_it_stands() -> None:
    answer = answer_from(QUESTION, [[RETRY]])

    assert (
        "**Operations \u203a Failed events** [S12]\n> Retry a failed event with `athenaeum events retry ID`." in answer
    )


def test_a_message_is_quoted_with_its_author_and_day() -> None:
    assert "**Ana in #operations, 3 May 2024** [S40]" in answer_from(QUESTION, [[], [MESSAGE]])


def test_at_most_three_passages_are_quoted() -> None:
    many = [replace(RETRY, id=PassageId(number)) for number in range(8)]

    assert answer_from(QUESTION, [many]).count("\n> ") == 3


def test_a_passage_that_shares_too_few_words_is_not_an_answer() -> None:
    beside = replace(RETRY, heading="", text="An event loop runs callbacks.")

    assert "I found nothing about this" in answer_from(QUESTION, [[beside]])


def test_a_passage_far_weaker_than_the_best_is_left_out() -> None:
    weaker = replace(RETRY, id=PassageId(13), heading="", text="Retry backoff doubles.")
    question = "How do I retry a failed event with the operator's command line?"

    assert "[S13]" not in answer_from(question, [[RETRY, weaker]])


def test_a_passage_found_by_both_searches_is_quoted_once() -> None:
    assert answer_from(QUESTION, [[RETRY], [RETRY]]).count("[S12]") == 1
