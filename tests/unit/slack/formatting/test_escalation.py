"""A call for a human: whatever is in the thread, it calls nobody but whom it is to call."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from slack_sdk.models.blocks import Block

from athenaeum.domain.identity import TurnId, UserId
from athenaeum.slack.formatting import Call, render_call

CALL = Call(
    turn=TurnId(UUID(int=7)),
    helper="S0NCALL",
    asked_by=UserId("U1"),
    resolved_by=None,
    question="Is <!channel> there? <@U9>",
    answer="**Restart** it & [look](https://docs.example/x) [1]",
    since=[("Tom", "It <!here> does not help.\nAt all.")],
)


@pytest.mark.parametrize("resolved_by", [None, UserId("U2")])
def test_words_of_the_thread_mention_nobody(resolved_by: UserId | None) -> None:
    shown = render_call(replace(CALL, resolved_by=resolved_by))

    live = [block["text"]["text"] for block in shown.blocks if block.get("text", {}).get("type") == "mrkdwn"]
    assert [text for text in (shown.text, shown.plain, *live) if "<!channel" in text or "<!here" in text] == []
    assert "<@U9>" not in shown.plain
    for block in Block.parse_all([dict(block) for block in shown.blocks]):
        block.validate_json()


def test_the_summary_is_plain_and_as_long_as_a_section_may_be() -> None:
    long = replace(CALL, question="why " * 5_000, answer="because " * 5_000, since=[("Tom", "no " * 5_000)] * 3)
    [summary] = [block["text"]["text"] for block in render_call(CALL).blocks if block["type"] == "section"][1:]
    [cut] = [block["text"]["text"] for block in render_call(long).blocks if block["type"] == "section"][1:]

    assert "What I answered: Restart it & look" in summary
    assert "Tom: It <!here> does not help. At all." in summary
    assert len(cut) < 3_000


def test_a_person_is_called_as_a_person_and_secrets_are_masked() -> None:
    token = "-".join(["xoxb", "1" * 10, "a1" * 8])
    shown = render_call(replace(CALL, helper="U0TOM", question=f"Is {token} right?"))

    assert shown.text.startswith("<@U0TOM>, <@U1> asks")
    assert token not in json.dumps([dict(block) for block in shown.blocks]) + shown.plain
