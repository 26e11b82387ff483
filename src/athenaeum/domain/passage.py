"""What retrieval finds and an answer may quote."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from athenaeum.domain.identity import ChannelId, PassageId

LABEL = r"[SF]\d+"
LABELS = rf"{LABEL}(?:\s*[,;]\s*{LABEL})*"
"""Patterns of a passage's label, and of several as a model writes them between brackets."""


class Origin(StrEnum):
    """Where a passage comes from; also its label as data from outside."""

    DOCUMENT = "document"
    MESSAGE = "message"
    FILE = "file"
    """Shared in the conversation; in no index."""
    TOOL = "tool"
    """Given by a server of somebody else's; in no index, and never cited."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable piece of text with the source a reader can open.

    `url` is a document's address with its anchor or a message's permalink; None when the source
    cannot be opened (a document added from a local path keeps its path in `title`).
    `id` is the index's; the passages of a file are numbered downwards from -1 within a turn.
    `text` is the passage itself, without heading or title; `heading` is the path of headings above it.
    """

    id: PassageId
    origin: Origin
    title: str
    heading: str
    url: str | None
    text: str
    score: float
    written_at: datetime | None = None
    author: str | None = None

    @property
    def source(self) -> str:
        """Title and headings in one line, for people."""
        return f"{self.title} \u203a {self.heading}" if self.heading else self.title

    @property
    def label(self) -> str:
        """What a model writes in square brackets to cite this passage."""
        return f"F{-self.id}" if self.origin is Origin.FILE else f"S{self.id}"


@dataclass(frozen=True, slots=True)
class Period:
    """What was said in a channel between two moments, the second included."""

    channel: ChannelId
    since: datetime
    until: datetime
