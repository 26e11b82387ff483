"""What an import has come to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from athenaeum.domain.channel import ChannelKind

KEPT = 1000
"""Records of one file that are kept in the quarantine; of a file that is all wrong the first ones tell enough."""
KEPT_BYTES = 4096
_TOKEN = re.compile(r"xox[a-z]-[\w-]+")  # an export's links to files carry one


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that could not be taken as it was: `position` in its file's list, from 0; -1 is the file itself."""

    file: str
    position: int
    reason: str
    record: bytes = b""

    @classmethod
    def of(cls, file: str, position: int, reason: str, record: object = None) -> Quarantined:
        """Keep the beginning of a record, as JSON without tokens."""
        kept = _TOKEN.sub("", json.dumps(record, default=str)) if record is not None else ""
        return cls(file, position, reason, kept.encode()[:KEPT_BYTES])


@dataclass(slots=True)
class ImportReport:
    """Counts by what became of people, conversations, files and messages."""

    source: str
    dry_run: bool = False
    people: int = 0
    conversations: dict[ChannelKind, int] = field(default_factory=dict[ChannelKind, int])
    files: int = 0
    """Files of messages that were read."""
    files_known: int = 0
    """Files that were not read again, because an import has read them as they are."""
    messages: int = 0
    new: int = 0
    changed: int = 0
    reactions: int = 0
    erased: int = 0
    """Messages of which the export says that they were deleted."""
    quarantined: int = 0
    faults: list[Quarantined] = field(default_factory=list[Quarantined])
    """The first of the quarantined; all of them are in the table `slack_quarantine`."""
    unlisted: list[str] = field(default_factory=list[str])
    """Folders that no index names, or two at once: nobody knows who may read them, so they are not taken."""
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds if self.seconds else 0.0

    def quarantine(self, found: list[Quarantined]) -> None:
        """Add what was quarantined; the first hundred are listed."""
        self.quarantined += len(found)
        self.faults += found[: max(0, 100 - len(self.faults))]
