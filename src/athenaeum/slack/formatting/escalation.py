"""A call for a human as the message that makes it, and the button that asks for one."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

from athenaeum.domain.secret import mask
from athenaeum.slack.formatting.characters import entities
from athenaeum.slack.formatting.controls import paragraph
from athenaeum.slack.formatting.plain import plain
from athenaeum.slack.formatting.rendering import Rendered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from athenaeum.domain.identity import TurnId, UserId

HUMAN, RESOLVED = "athenaeum_human", "athenaeum_resolved"
"""The `action_id`s of the buttons that call a human, and that say that somebody was helped."""
_LONGEST_QUESTION, _LONGEST_ANSWER, _LONGEST_LINE = 600, 900, 300


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls whom, and what it is about."""

    turn: TurnId
    helper: str
    asked_by: UserId
    resolved_by: UserId | None
    question: str
    answer: str
    """In Markdown, as its readers may see it now; empty where there is none."""
    since: Sequence[tuple[str, str]]
    """What people said after the question: who, and their words."""


def human_button(turn: TurnId) -> Mapping[str, Any]:
    """The row below an answer by which its readers call a human."""
    return {"type": "actions", "elements": [_button("Ask a human", HUMAN, turn)]}


def render_call(call: Call) -> Rendered:
    """The message that calls; it mentions nobody but the helper and who asked, whatever the words in it are."""
    helper = f"<!subteam^{call.helper}>" if call.helper.startswith("S") else f"<@{call.helper}>"
    head = f"{helper}, <@{call.asked_by}> asks for a human here."
    summary = "\n\n".join(_summary(call))
    end: tuple[Mapping[str, Any], ...] = ({"type": "actions", "elements": [_button("Resolved", RESOLVED, call.turn)]},)
    told = head
    if call.resolved_by is not None:
        told = f"{head} Resolved by <@{call.resolved_by}>."
        resolved = f"Resolved by <@{call.resolved_by}>."
        end = ({"type": "context", "elements": [{"type": "mrkdwn", "text": resolved}]},)
    blocks = ({"type": "section", "text": {"type": "mrkdwn", "text": head}}, paragraph(summary), *end)
    return Rendered(told, blocks, f"{told}\n\n{entities(summary)}")


def _summary(call: Call) -> list[str]:
    told = [f"The question: {_cut(mask(call.question), _LONGEST_QUESTION)}"]
    answer = _cut(unescape(plain(mask(call.answer))), _LONGEST_ANSWER)
    told.append(f"What I answered: {answer}" if answer else "I have no answer to it.")
    if call.since:
        lines = (f"{name}: {_cut(mask(words), _LONGEST_LINE)}" for name, words in call.since)
        told.append("\n".join(["Said since:", *lines]))
    return told


def _cut(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def _button(text: str, action: str, turn: TurnId) -> dict[str, Any]:
    label = {"type": "plain_text", "text": text}
    return {"type": "button", "text": label, "action_id": action, "value": str(turn)}
