from __future__ import annotations

from typing import Any

import pytest

from slacksim.blocks import check
from slacksim.errors import SlackError


def section(length: int) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}}


BUTTON = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}}


@pytest.mark.parametrize(
    "blocks",
    [
        [section(3000)],
        [{"type": "markdown", "text": "x" * 12_000}],
        [{"type": "divider"}] * 50,
        [{"type": "actions", "elements": [BUTTON] * 25}],
    ],
)
def test_blocks_at_the_limits_are_taken(blocks: list[dict[str, Any]]) -> None:
    check(blocks)


@pytest.mark.parametrize(
    "blocks",
    [
        [section(3001)],
        [section(0)],
        [{"type": "markdown", "text": "x" * 12_001}],
        [{"type": "divider"}] * 51,
        [{"type": "actions", "elements": [BUTTON] * 26}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101}],
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]}],
        [{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}],
        [{"type": "table", "rows": [[{"type": "mrkdwn", "text": "x"}]]}],
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 5_001}] * 2]}],
        [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * 2,
        [{"type": "divider", "block_id": "same"}, {"type": "divider", "block_id": "same"}],
        [{"type": "image", "image_url": "https://example.com/a.png"}],
        [{"type": "blink"}],
    ],
)
def test_blocks_over_the_limits_are_invalid(blocks: list[dict[str, Any]]) -> None:
    with pytest.raises(SlackError, match="invalid_blocks"):
        check(blocks)


def test_blocks_that_are_long_in_sum_are_too_long() -> None:
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        check([section(3000) for _ in range(5)])
