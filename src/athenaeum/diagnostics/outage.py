"""What it means when Slack gave no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.diagnostics.finding import Finding, fault, warning
from athenaeum.errors import RetryLater
from athenaeum.slack.errors import RateLimited

if TYPE_CHECKING:
    from athenaeum.slack.errors import SlackFailure


def outage(subject: str, failure: SlackFailure, address: str) -> Finding | None:
    """The finding for a call that may succeed later; None for a definite no, which each subject explains itself."""
    if isinstance(failure, RateLimited):
        return warning(subject, str(failure), "run athenaeum doctor again in a minute")
    if isinstance(failure, RetryLater):
        return fault(
            subject, f"Slack cannot be reached at {address} ({failure})", "check the network and SLACK_API_URL"
        )
    return None
