from __future__ import annotations

import pytest

from slacksim import rich_text


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("hi <@U123> in <#C1|general>", "hi <@U123> in <#C1|general>"),
        ("already &lt;escaped&gt;", "already &lt;escaped&gt;"),
        ("see https://example.com/a?b=1.", "see <https://example.com/a?b=1>."),
        ("<https://example.com|here>", "<https://example.com|here>"),
        ("`curl https://example.com <x>`", "`curl https://example.com &lt;x&gt;`"),
    ],
)
def test_typed_text_is_stored_as_slack_does(typed: str, stored: str) -> None:
    assert rich_text.stored(typed) == stored


def test_the_block_has_an_element_for_each_token() -> None:
    block = rich_text.block("hi <@U1> &amp; <https://example.com|you>", "b1")
    assert block["elements"][0]["elements"] == [
        {"type": "text", "text": "hi "},
        {"type": "user", "user_id": "U1"},
        {"type": "text", "text": " & "},
        {"type": "link", "url": "https://example.com", "text": "you"},
    ]


def test_each_link_of_a_text_is_found_once() -> None:
    text = "[a](https://a.example/x) <https://b.example|b> https://a.example/x"
    assert rich_text.links(text) == ["https://a.example/x", "https://b.example"]
