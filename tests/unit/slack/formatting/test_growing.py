from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athenaeum.slack.formatting.growing import settled


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Retr", ""),
        ("Retry it wi", "Retry it"),
        ("Retry it with **a comm", "Retry it with"),
        ("Look at https://evil.exa", "Look at"),
        ("First.\n\nSecond **bold** and more ", "First.\n\nSecond"),
        ("First **bold**.\n\nSecond one ", "First **bold**.\n\nSecond one"),
        ("Before:\n\n```sh\nmake\n\nmake te", "Before:"),
        ("Before:\n\n```sh\nmake\n```\n\nAnd af", "Before:\n\n```sh\nmake\n```\n\nAnd"),
        ("~~~\n```\n~~~\n\nafter it all ", "~~~\n```\n~~~\n\nafter it all"),
    ],
)
def test_what_waits_for_its_other_half_is_not_shown_yet(text: str, shown: str) -> None:
    assert settled(text) == shown


@given(st.text(alphabet="ab *_`[]()\n.:/-|~"))
def test_it_is_a_beginning_that_is_settled_itself_when_more_comes(text: str) -> None:
    shown = settled(text)
    assert text.startswith(shown)
    assert settled(f"{text} and more").startswith(shown)
