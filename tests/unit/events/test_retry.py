from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from athenaeum.errors import Discard, LeaseLost, Misconfigured, Refused, RetryLater
from athenaeum.events.retry import Abandon, Fail, Finish, Retry, decide, describe


def _middle() -> float:
    return 0.5


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 10), (2, 20), (3, 40)])
def test_an_unknown_error_is_tried_again_after_ten_twenty_and_forty_seconds(attempt: int, seconds: int) -> None:
    decision = decide(KeyError("x"), attempt=attempt, max_retries=3, chance=_middle)
    assert decision == Retry(timedelta(seconds=seconds))


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4)])
def test_a_database_that_was_away_is_soon_asked_again(attempt: int, seconds: int) -> None:
    lost = DBAPIError("SELECT 1", None, psycopg.OperationalError("the connection is lost"))
    for error in (lost, psycopg.OperationalError()):
        decision = decide(error, attempt=attempt, max_retries=3, chance=_middle)
        assert decision == Retry(timedelta(seconds=seconds))


@given(st.integers(1, 6), st.floats(0, 1, exclude_max=True))
def test_jitter_stays_within_a_fifth_of_the_delay(attempt: int, chance: float) -> None:
    decision = decide(RetryLater("x"), attempt=attempt, max_retries=6, chance=lambda: chance)
    assert isinstance(decision, Retry)
    assert 0.799 <= decision.after / timedelta(seconds=10 * 2 ** (attempt - 1)) <= 1.201


def test_a_stated_time_wins_over_the_backoff() -> None:
    after = timedelta(seconds=77)
    assert decide(RetryLater("429", after=after), attempt=1, max_retries=3) == Retry(after)


@pytest.mark.parametrize("error", [RetryLater("x", after=timedelta(seconds=1)), OSError()])
def test_after_the_last_retry_it_fails(error: Exception) -> None:
    assert decide(error, attempt=4, max_retries=3) == Fail()


def test_without_retries_the_first_error_is_the_last() -> None:
    assert decide(OSError(), attempt=1, max_retries=0) == Fail()


@pytest.mark.parametrize("error", [Refused("x"), Misconfigured("x")])
def test_what_trying_again_cannot_help_fails_at_once(error: Exception) -> None:
    assert decide(error, attempt=1, max_retries=3) == Fail()


@pytest.mark.parametrize("attempt", [1, 9])
def test_discard_finishes(attempt: int) -> None:
    assert decide(Discard("x"), attempt=attempt, max_retries=3) == Finish()


def test_a_lost_lease_writes_nothing() -> None:
    assert decide(LeaseLost("x"), attempt=9, max_retries=3) == Abandon()


@given(st.text(st.characters(), max_size=3000))
def test_any_message_can_be_kept(message: str) -> None:
    kept = describe(ValueError(message))
    assert kept.startswith("ValueError: ")
    assert len(kept) <= 2000
    assert b"\x00" not in kept.encode()


def test_a_message_with_half_a_character_can_be_kept() -> None:
    assert describe(ValueError("\ud800")).encode() == b"ValueError: ?"
