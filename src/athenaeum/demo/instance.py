"""One demo per home: the running one is found by its lock, which ends with its process."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_NAME = "running"


def running(home: Path) -> str | None:
    """The page's address of the demo that runs on this home; None when there is none."""
    path = home / _NAME
    if not path.exists():
        return None
    with path.open("r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().strip() or None
    return None


@contextmanager
def occupied(home: Path, url: str) -> Generator[None]:
    """Be the demo of this home until the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / _NAME).open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(url)
        file.flush()
        yield
        file.truncate(0)
