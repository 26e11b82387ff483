"""Slack's markup in plain words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athenaeum.conversations.archive.mrkdwn import mentioned, plain, without_mention
from athenaeum.domain.identity import UserId

NAMES = {UserId("U1"): "maya"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<@U1> and <@U2|tom> and <@W3>", "@maya and @tom and @W3"),
        ("see <#C1|general> or <#C2>", "see #general or #C2"),
        ("<!here> <!subteam^S1|@team> <!date^1^x|today>", "@here @team today"),
        ("<https://example.org/a|the page>", "the page (https://example.org/a)"),
        ("<https://example.org|example.org>", "https://example.org"),
        ("<https://example.org/?a=1&amp;b=2>", "https://example.org/?a=1&b=2"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&lt;@U1&gt;", "<@U1>"),
        ("a < b > c", "a < b > c"),
    ],
)
def test_references_become_words(text: str, words: str) -> None:
    assert plain(text, NAMES) == words


def test_everyone_mentioned_is_found() -> None:
    assert mentioned(["<@U1> <@U2|x>", "<#C1> <@W3>"]) == {"U1", "U2", "W3"}


def test_without_a_bot_every_mention_stays() -> None:
    assert without_mention("<@U1> hi", None) == "<@U1> hi"


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    plain(text, NAMES)
    without_mention(text, UserId("U1"))
