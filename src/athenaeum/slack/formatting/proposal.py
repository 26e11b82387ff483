"""A proposal as the message that asks for a person's word: every argument literally, and two buttons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from athenaeum.slack.formatting.rendering import Rendered

if TYPE_CHECKING:
    from athenaeum.domain.approval import Pending, ProposedCall
    from athenaeum.domain.identity import UserId

APPROVE, DENY = "athenaeum_approve", "athenaeum_deny"
"""The `action_id`s of the buttons; the value of both is the id of the approval."""


def render_proposal(pending: Pending, asker: UserId) -> Rendered:
    """Who is asked, what would be done with which arguments, until when, and the buttons."""
    proposal = pending.proposal
    when = f"<!date^{pending.expires_at.timestamp():.0f}^{{date_short_pretty}}, {{time}}|{pending.expires_at:%-d %B}>"
    asked = f"<@{asker}>, this changes something, so I need your word first. I will wait until {when}."
    blocks: list[dict[str, Any]] = [_section(asked)]
    for call in proposal.calls:
        blocks += [_section(f"*{call.asks}* (`{call.tool}`)"), _literally(_arguments(call))]
    buttons = [_button("Approve", APPROVE, "primary"), _button("Deny", DENY, "danger")]
    blocks.append({"type": "actions", "elements": [button | {"value": str(proposal.id)} for button in buttons]})
    plain = "\n".join([asked, *(f"{call.asks} ({call.tool})" for call in proposal.calls)])
    return Rendered(plain, tuple(blocks), plain)


def _arguments(call: ProposedCall) -> str:
    lines = (f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in call.arguments.items())
    return "\n".join(map(_apparent, lines)) or "(no arguments)"


def _apparent(text: str) -> str:
    """The text with what cannot be seen written out, so that nothing hides in it or turns it around."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _literally(text: str) -> dict[str, Any]:
    # Unlike mrkdwn, nothing in this element is a mention, a link or the end of a code block.
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}],
    }


def _button(text: str, action: str, style: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action, "style": style}
