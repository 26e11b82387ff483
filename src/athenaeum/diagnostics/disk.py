"""Whether the home has room to write."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from athenaeum.diagnostics.finding import Finding, fault, ok, warning

SUBJECT = "disk"
_MEND = "free some space, or set ATHENAEUM_HOME to a disk with more"
_LITTLE = 1_000_000_000  # bytes; a new embedded database takes 0.06 GB, the embedder's network 0.09 GB
_TOO_LITTLE = 200_000_000


def look(home: Path) -> Finding:
    """The space of the file system that holds `home`, which need not exist yet."""
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return fault(
            SUBJECT, f"{place} cannot be written", "set ATHENAEUM_HOME to a directory that this user may write"
        )
    return judge(home, free=shutil.disk_usage(place).free)


def judge(home: Path, *, free: int) -> Finding:
    """What `free` bytes mean."""
    detail = f"{free / 1e9:.1f} GB free at {home}"
    if free < _TOO_LITTLE:
        return fault(SUBJECT, detail, _MEND)
    return warning(SUBJECT, detail, _MEND) if free < _LITTLE else ok(SUBJECT, detail)
