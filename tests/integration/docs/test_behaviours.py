"""The page of behaviours has a row for each, and the tests that it names exist."""

from __future__ import annotations

import pytest
from markdown_it.token import Token

from support.documentation import ROOT, Page, is_test, spans

_PAGE = Page(ROOT / "docs" / "reference" / "behaviours.md")
_ROWS = [row for table in _PAGE.tables if table.head[0] == "number" for row in table.rows]
_WANTED = {str(number) for number in range(1, 63)} | {f"U{number}" for number in range(1, 28)}
_WITHOUT_TESTS = ("not yet", "not supported: ")


def test_every_edge_case_and_behaviour_has_one_row() -> None:
    assert sorted(number.content for number, _, _ in _ROWS) == sorted(_WANTED)


@pytest.mark.parametrize(("number", "what", "seen"), _ROWS, ids=[number.content for number, _, _ in _ROWS])
def test_a_row_names_tests_that_exist_or_says_why_there_are_none(number: Token, what: Token, seen: Token) -> None:
    named = [code for code in spans(seen) if "::" in code]

    assert what.content, number.content
    assert [name for name in named if not is_test(name)] == []
    assert named or seen.content.startswith(_WITHOUT_TESTS)
