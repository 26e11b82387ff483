from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athenaeum.llm.quoting import quote, substance, terms

GUIDE = """An event that failed for good is kept with its error.

Look at what failed, then put a failed event back into the queue to retry it:

    athenaeum events list --status failed
    athenaeum events retry ID

A retried event keeps its id."""


def test_words_of_one_stem_are_one_term_and_words_of_asking_are_none() -> None:
    assert terms("How do I retry a failed event?") == terms("retrying failing events")


def test_the_command_is_quoted_with_the_sentence_that_leads_to_it() -> None:
    quoted = quote(GUIDE, terms("How do I retry a failed event?"), limit=320)

    assert quoted.startswith("Look at what failed")
    assert "athenaeum events retry ID" in quoted


def test_the_steps_win_over_a_remark_about_a_variant() -> None:
    remark = "\n`athenaeum events retry --all` retries every failed event."

    assert "athenaeum events retry ID" in quote(GUIDE + remark, terms("How do I retry a failed event?"), limit=320)


def test_an_item_keeps_its_second_line() -> None:
    text = "1. The worker claims\n   the event.\n2. It answers."

    assert quote(text, terms("claim event"), limit=60) == "1. The worker claims\n   the event."


def test_a_block_of_code_is_never_torn_apart() -> None:
    text = "Start it.\n```sh\n# Not a sentence. Really\n\nathenaeum up\n```\nThen wait for the green light."

    assert quote(text, terms("up"), limit=50) == "```sh\n# Not a sentence. Really\n\nathenaeum up\n```"


def test_the_sentence_that_speaks_to_the_question_is_chosen() -> None:
    text = "Backups run at night. Keys rotate every ninety days. Logs are kept for a week."

    assert quote(text, terms("How often do keys rotate?"), limit=40) == "Keys rotate every ninety days."


def test_an_item_of_a_list_is_quoted_alone() -> None:
    text = "Ports:\n- gateway: 8001\n- simulator: 8002"

    assert quote(text, terms("simulator"), limit=20) == "- simulator: 8002"


def test_a_sentence_that_is_too_long_is_cut_at_a_word() -> None:
    assert quote("word " * 100, terms("word"), limit=22) == "word word word word"


@pytest.mark.parametrize("text", ["", "\n\n", "```"])
def test_nothing_to_quote_gives_nothing_that_matters(text: str) -> None:
    assert quote(text, terms("anything"), limit=10) in {"", "```"}


@given(st.text(alphabet="ab .\n`#-|\t>", max_size=200), st.integers(1, 80))
def test_a_quote_stands_in_the_text_and_keeps_the_limit(text: str, limit: int) -> None:
    quoted = quote(text, terms("a b"), limit=limit)

    assert quoted in text
    assert len(quoted) <= limit


def test_a_sentence_that_only_repeats_the_question_is_no_answer() -> None:
    text = "Ask it: `When is the release freeze?` and wait. The release freeze begins on December 15."
    question = "When is the release freeze?"

    assert quote(text, terms(question), limit=60, question=question) == "The release freeze begins on December 15."
    assert substance(text, question) == "Ask it:\nThe release freeze begins on December 15."


def test_an_echo_is_quoted_where_there_is_nothing_else() -> None:
    question = "When is the release freeze?"

    assert quote(question, terms(question), limit=60, question=question) == question
