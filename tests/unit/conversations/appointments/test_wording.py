"""What is read as a wish for a digest or a reminder, and what stays a question."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from athenaeum.conversations.appointments.rhythm import Delay, Every, Once, When
from athenaeum.conversations.appointments.wording import (
    CancelReminder,
    DigestWish,
    PlainWish,
    ReminderWish,
    read_wish,
)
from athenaeum.conversations.keywords import Keyword, read_keyword

WORKING = frozenset(range(5))


@pytest.mark.parametrize(
    ("words", "every"),
    [
        ("digest daily at 9", Every(frozenset(range(7)), time(9))),
        ("Digest every weekday at 17:30.", Every(WORKING, time(17, 30))),
        ("digest weekly on Friday 4pm", Every(frozenset({4}), time(16))),
        ("digest mondays at 12am", Every(frozenset({0}), time(0))),
        ("digest weekdays", Every(WORKING, time(9))),
    ],
)
def test_a_digest_has_a_rhythm(words: str, every: Every) -> None:
    assert read_wish(words) == DigestWish(every)


@pytest.mark.parametrize(
    ("words", "when", "what"),
    [
        ("remind me in 20 minutes to call Ben", Delay(timedelta(minutes=20)), "call Ben"),
        ("remind me in an hour: stand up", Delay(timedelta(hours=1)), "stand up"),
        (
            "Remind me to meet Ben at the office tomorrow at 9:15",
            Once(time(9, 15), days_ahead=1),
            "meet Ben at the office",
        ),
        ("remind me at noon tomorrow about the report to Ana", Once(time(12), days_ahead=1), "the report to Ana"),
        ("remind us every Monday at 10 to post what we did", Every(frozenset({0}), time(10)), "post what we did"),
        ("remind me on 2026-12-24 to leave early", Once(time(9), day=date(2026, 12, 24)), "leave early"),
        ("remind me to leave at 17:00", Once(time(17)), "leave"),
    ],
)
def test_a_reminder_names_its_time_before_its_words_or_after_them(words: str, when: When, what: str) -> None:
    assert read_wish(words) == ReminderWish(when, what)


@pytest.mark.parametrize(
    "words",
    ["remind me what we decided", "digest this for me", "what is a digest?", "remind me of the plan", "cancel it"],
)
def test_a_question_stays_a_question(words: str) -> None:
    assert read_wish(words) is None
    assert read_keyword(words) is None


@pytest.mark.parametrize(
    ("words", "wish", "keyword"),
    [
        ("digest", PlainWish.SHOW_DIGEST, Keyword.DIGEST),
        ("Stop digest!", PlainWish.NO_DIGEST, Keyword.DIGEST),
        ("digest daily at dawn", PlainWish.UNCLEAR_DIGEST, Keyword.DIGEST),
        ("my reminders", PlainWish.SHOW_REMINDERS, Keyword.REMINDERS),
        ("cancel reminder #12", CancelReminder(12), Keyword.REMINDERS),
        ("remind me to buy 9", PlainWish.UNCLEAR_REMINDER, Keyword.REMINDERS),
        ("remind me on 2026-02-30 to rest", PlainWish.UNCLEAR_REMINDER, Keyword.REMINDERS),
        ("remind me in 0 minutes to rest", PlainWish.UNCLEAR_REMINDER, Keyword.REMINDERS),
    ],
)
def test_what_is_plain_and_what_is_unclear_are_no_questions(words: str, wish: object, keyword: Keyword) -> None:
    assert read_wish(words) == wish
    assert read_keyword(words) is keyword
