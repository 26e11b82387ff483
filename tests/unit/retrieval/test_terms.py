from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athenaeum.retrieval.terms import terms


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("retry_failed_event", "failed"),
        ("RetryFailedEvent", "failed event"),
        ("HTTPServer", "http server"),
        ("athenaeum.events.retry", "events"),
        ("docs/guides/retry.md", "retry"),
        ("--dry-run", "dry run"),
        ("retries were retried", "retry"),
        ("the team's wiki", "team"),
        ("Cafe", "café"),
        ("C++", "c++"),
        ("東京都", "京都"),
        ("\uff21\uff30\uff29", "api"),
        ("events.retry", "events.retry"),
        ("__init__", "init"),
    ],
)
def test_what_is_asked_shares_a_term_with_what_is_written(written: str, asked: str) -> None:
    assert set(terms(asked)) & set(terms(written))


@pytest.mark.parametrize(("one", "other"), [("retry_failed", "failed_retry"), ("node.js", "js.node")])
def test_a_whole_identifier_is_a_term_of_its_own(one: str, other: str) -> None:
    assert set(terms(one)) - set(terms(other)) == {one}


def test_function_words_are_no_terms() -> None:
    assert list(terms("How do I get to the station?")) == ["get", "station"]


def test_encoded_data_is_no_term() -> None:
    assert list(terms("x" * 65)) == []


@given(st.text())
def test_any_text_has_terms_that_can_be_stored(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term) <= 64
        assert "\0" not in term
