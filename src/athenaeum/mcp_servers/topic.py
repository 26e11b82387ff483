"""What our servers are about, one each."""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """What a server is about."""

    SLACK = "slack"
    DOCS = "docs"

    @property
    def path(self) -> str:
        """Where it is served over HTTP."""
        return f"/mcp/{self.value}"
