"""Slack's JSON, field by field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athenaeum.domain.identity import MessageTs
from athenaeum.slack.incoming import Malformed, Payload, moment


@pytest.mark.parametrize("value", [None, 3, "text", [1], True])
def test_only_an_object_is_a_payload(value: object) -> None:
    with pytest.raises(Malformed):
        Payload.of(value)


def test_text_loses_what_postgresql_refuses_and_nothing_else() -> None:
    assert Payload({"text": "a\x00b\ud83d\U0001f600\ufeff"}).text("text") == "ab\U0001f600\ufeff"
    assert Payload({"text": 5}).text("text") == ""


@pytest.mark.parametrize("value", ["C1\n", "C 1", "a" * 65, 5, ["C1"], "C1; DROP"])
def test_what_is_no_id_is_unreadable(value: object) -> None:
    with pytest.raises(Malformed, match="channel"):
        Payload({"channel": value}).channel()


def test_an_id_may_come_as_the_object_it_belongs_to() -> None:
    assert Payload({"channel": {"id": "C1"}}).channel() == "C1"
    assert Payload({"user": {"id": "U1"}}).user() == "U1"


@pytest.mark.parametrize("value", ["", None, "1700000000", "1700000000.0000001", "-1.0", "1e9.1", 1700000000.1])
def test_what_is_no_timestamp_is_unreadable(value: object) -> None:
    with pytest.raises(Malformed, match="ts"):
        Payload({"ts": value}).ts()


def test_a_moment_is_exact_to_the_microsecond() -> None:
    assert moment(MessageTs("1700000000.000100")) == datetime(2023, 11, 14, 22, 13, 20, 100, tzinfo=UTC)
    assert moment(MessageTs("1700000000.1")) == datetime(2023, 11, 14, 22, 13, 20, 100_000, tzinfo=UTC)


@given(st.integers(0, 10**11 - 1), st.integers(0, 999_999))
def test_every_timestamp_that_is_read_has_a_moment(seconds: int, micros: int) -> None:
    ts = Payload({"ts": f"{seconds}.{micros:06d}"}).ts()
    assert moment(ts).microsecond == micros
