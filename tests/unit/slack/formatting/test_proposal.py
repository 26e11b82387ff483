"""What a person reads before they approve is what will be done: all of it, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from athenaeum.domain.approval import Pending, Proposal, ProposedCall
from athenaeum.domain.identity import ApprovalId, UserId
from athenaeum.slack.formatting import APPROVE, DENY, Rendered, render_proposal

ID = ApprovalId(UUID("00000000-0000-4000-8000-000000000007"))
UNTIL = datetime(2026, 11, 28, 12, tzinfo=UTC)


def rendered(*arguments: dict[str, Any]) -> Rendered:
    calls = tuple(ProposedCall(f"c{n}", "post", "Post it", given) for n, given in enumerate(arguments))
    return render_proposal(Pending(Proposal(ID, calls), UNTIL), UserId("U1"))


def literal(message: Rendered) -> list[str]:
    return [block["elements"][0]["elements"][0]["text"] for block in message.blocks if block["type"] == "rich_text"]


def test_every_call_shows_its_arguments_and_both_buttons_name_the_approval() -> None:
    message = rendered({"to": "ops", "urgent": True}, {})
    assert literal(message) == ['to: "ops"\nurgent: true', "(no arguments)"]
    (actions,) = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    assert [(button["action_id"], button["value"]) for button in actions] == [(APPROVE, str(ID)), (DENY, str(ID))]
    assert "<@U1>" in message.text
    assert "<!date^1795867200^" in message.text


def test_what_cannot_be_seen_is_written_out() -> None:
    hidden = "pay\u202e 001\u200b" + chr(0xE0041) + "\ud800"
    assert literal(rendered({"text": hidden})) == ['text: "pay\\u202e 001\\u200b\\U000e0041\\ud800"']


def test_words_that_slack_would_read_as_marks_stay_words() -> None:
    assert literal(rendered({"text": "```*<!channel>* &amp;"})) == ['text: "```*<!channel>* &amp;"']


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=200), max_size=5))
def test_any_argument_makes_blocks_that_slack_takes(arguments: dict[str, str]) -> None:
    message = rendered(arguments)
    blocks = Block.parse_all([dict(block) for block in message.blocks])
    for block in blocks:
        block.validate_json()
    assert all(letter.isprintable() or letter == "\n" for text in literal(message) for letter in text)
