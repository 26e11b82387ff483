"""Errors of the Web API, as Slack names them."""

from __future__ import annotations

from typing import Any


class SlackError(Exception):
    """A call that Slack answers with ``{"ok": false, "error": code}``.

    Args:
        code: Slack's error code.
        status: HTTP status of the answer; Slack uses 200 for nearly all.
        headers: Headers of the answer, such as Retry-After.
        extra: Further fields of the answer.
    """

    def __init__(self, code: str, *, status: int = 200, headers: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.headers = headers or {}
        self.extra = extra

    def body(self) -> dict[str, Any]:
        return {"ok": False, "error": self.code, **self.extra}


def explained(code: str, *messages: str) -> SlackError:
    """An error whose ``response_metadata.messages`` say what is wrong, as with invalid_blocks."""
    return SlackError(code, response_metadata={"messages": [f"[ERROR] {message}" for message in messages]})


class ScenarioError(Exception):
    """A scenario file that cannot become a workspace; the text names the place and the mend."""
