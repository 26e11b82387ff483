from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slacksim.api.call import Arguments
from slacksim.api.pages import page
from slacksim.errors import SlackError


@given(items=st.lists(st.text(min_size=1), unique=True), limit=st.integers(1, 7))
def test_following_the_cursors_returns_every_item_once(items: list[str], limit: int) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        shown, cursor = page(items, Arguments({"limit": limit, "cursor": cursor}), key=str)
        found += shown
        if not cursor:
            break
    assert found == items


@pytest.mark.parametrize("cursor", ["???", "bm90IG91cnM=", "bmV4dDpnb25l"])
def test_a_foreign_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(SlackError, match="invalid_cursor"):
        page(["a", "b"], Arguments({"cursor": cursor}), key=str)


def test_a_limit_above_a_thousand_is_refused() -> None:
    with pytest.raises(SlackError, match="invalid_limit"):
        page(["a"], Arguments({"limit": 1001}), key=str)
