"""From a model's Markdown to what Slack may be shown.

The text is parsed and written anew, never patched: what comes out was put there by us, so that nothing of the
input is left to be read differently by Slack's parser than by ours.
"""

from __future__ import annotations

from athenaeum.slack.formatting.controls import (
    AGAIN,
    CALL_OFF,
    FEEDBACK,
    REVEAL,
    STOP,
    again,
    call_off,
    feedback,
    paragraph,
    plain_feedback,
    render_offer,
    stop_button,
)
from athenaeum.slack.formatting.escalation import HUMAN, RESOLVED, Call, human_button, render_call
from athenaeum.slack.formatting.proposal import APPROVE, DENY, render_proposal
from athenaeum.slack.formatting.quotation import render_typed
from athenaeum.slack.formatting.reason import REASON, read_occasion, reason_modal
from athenaeum.slack.formatting.rendering import Rendered, render, render_whole

__all__ = [
    "AGAIN",
    "APPROVE",
    "CALL_OFF",
    "DENY",
    "FEEDBACK",
    "HUMAN",
    "REASON",
    "RESOLVED",
    "REVEAL",
    "STOP",
    "Call",
    "Rendered",
    "again",
    "call_off",
    "feedback",
    "human_button",
    "paragraph",
    "plain_feedback",
    "read_occasion",
    "reason_modal",
    "render",
    "render_call",
    "render_offer",
    "render_proposal",
    "render_typed",
    "render_whole",
    "stop_button",
]
