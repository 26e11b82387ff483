"""The page of controls has a row for each control, and the tests that it names exist."""

from __future__ import annotations

import pytest
from markdown_it.token import Token

from support.documentation import ROOT, Page, is_test, spans

_ROWS = Page(ROOT / "docs" / "reference" / "security.md").table("number")


def test_every_control_has_one_row() -> None:
    assert [number.content for number, _, _ in _ROWS] == [str(number) for number in range(1, 19)]


@pytest.mark.parametrize(("number", "control", "held"), _ROWS, ids=[number.content for number, _, _ in _ROWS])
def test_a_control_names_tests_that_exist_or_says_why_there_are_none(
    number: Token, control: Token, held: Token
) -> None:
    named = spans(held)

    assert control.content, number.content
    assert [name for name in named if not is_test(name)] == []
    assert named or held.content.startswith("not yet: ")
