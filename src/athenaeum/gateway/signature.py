"""Slack's request signature, version 0 (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""

from __future__ import annotations

import hashlib
import hmac
import re

from athenaeum.errors import AthenaeumError

TOLERANCE = 300  # seconds; Slack's own figure against replays

_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Forged(AthenaeumError):  # noqa: N818 - named for what it means, like the other errors
    """A request that Slack did not send, or not just now; `reason` is the metric's label."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep the one word for the metric and the line for the answer."""
        super().__init__(message)
        self.reason = reason


def sign(secret: str, *, timestamp: str, body: bytes) -> str:
    """The signature of a request."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify(secret: str, *, timestamp: str | None, signature: str | None, body: bytes, now: float) -> None:
    """Return when the headers prove that Slack sent this body within the last five minutes.

    Raises:
        Forged: they don't; whatever they hold, nothing else is raised.
    """
    if not timestamp or not signature:
        raise Forged("unsigned", "the X-Slack-Signature or X-Slack-Request-Timestamp header is missing")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Forged("timestamp", "X-Slack-Request-Timestamp is not a number of seconds")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise Forged("stale", "the request is older than five minutes: set this host's clock by NTP if Slack sent it")
    expected = sign(secret, timestamp=timestamp, body=body)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape")):
        raise Forged("signature", "the signature does not match: is SLACK_SIGNING_SECRET this app's?")
