"""What was said, where and by whom, as it stands now: made of the event log, and of nothing else."""

from __future__ import annotations

from athenaeum.conversations.archive.messages import (
    UNINDEXED,
    File,
    Message,
    Stored,
    announce,
    erase,
    read_file,
    read_message,
    record,
    versions,
)

__all__ = [
    "UNINDEXED",
    "File",
    "Message",
    "Stored",
    "announce",
    "erase",
    "read_file",
    "read_message",
    "record",
    "versions",
]
