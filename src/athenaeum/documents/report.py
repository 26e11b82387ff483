"""What going through a source has come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from athenaeum.documents.leaf import Skipped


class Phase(StrEnum):
    """What is being done: documents are read first, and found by their words then; embedding takes longer."""

    READING = "reading"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: documents while reading, passages while embedding. `total` may grow for a site."""

    phase: Phase
    done: int
    total: int
    current: str
    skipped: int


@dataclass(slots=True)
class Report:
    """Documents by what became of them."""

    source: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    new_passages: int = 0
    skipped: list[Skipped] = field(default_factory=list[Skipped])
    embedder_error: str | None = None
    """Why passages could not be embedded; they are found by their words, and embedded by the next sync."""

    @property
    def seen(self) -> int:
        """Documents gone through so far."""
        return self.added + self.changed + self.unchanged + len(self.skipped)
