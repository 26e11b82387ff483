"""Slack's signature, against its documented example and against everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import SignatureVerifier

from athenaeum.gateway.signature import Forged, sign, verify

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # pragma: allowlist secret - the documentation's example
NOW = 1531420618.0
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
EXAMPLE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def test_the_documented_example_is_believed() -> None:
    verify(SECRET, timestamp="1531420618", signature=EXAMPLE, body=BODY, now=NOW)


@given(st.binary(), st.integers(min_value=0, max_value=10**11))
def test_it_signs_as_slack_sdk_does(body: bytes, timestamp: int) -> None:
    try:
        expected = SignatureVerifier(SECRET).generate_signature(timestamp=str(timestamp), body=body)
    except UnicodeDecodeError:  # slack_sdk reads bytes as UTF-8; Slack signs bytes
        return
    assert sign(SECRET, timestamp=str(timestamp), body=body) == expected


@pytest.mark.parametrize(
    ("timestamp", "signature", "reason"),
    [
        (None, EXAMPLE, "unsigned"),
        ("1531420618", None, "unsigned"),
        ("", "", "unsigned"),
        ("153142061x", EXAMPLE, "timestamp"),
        ("١٥٣١٤٢٠٦١٨", EXAMPLE, "timestamp"),
        ("1531420317", EXAMPLE, "stale"),
        ("1531420919", EXAMPLE, "stale"),
        ("1531420618", EXAMPLE[:-1] + "4", "signature"),
        ("1531420618", "v0=ä", "signature"),
        ("1531420619", EXAMPLE, "signature"),
    ],
)
def test_anything_else_is_forged_and_says_why(timestamp: str | None, signature: str | None, reason: str) -> None:
    with pytest.raises(Forged) as caught:
        verify(SECRET, timestamp=timestamp, signature=signature, body=BODY, now=NOW)
    assert caught.value.reason == reason


@given(st.text() | st.none(), st.text() | st.none(), st.binary())
def test_no_header_makes_it_raise_anything_else(timestamp: str | None, signature: str | None, body: bytes) -> None:
    with pytest.raises(Forged):
        verify(SECRET, timestamp=timestamp, signature=signature, body=body, now=NOW)


def test_the_edge_of_five_minutes_is_inside() -> None:
    for now in (NOW - 300, NOW + 300):
        verify(SECRET, timestamp="1531420618", signature=EXAMPLE, body=BODY, now=now)
