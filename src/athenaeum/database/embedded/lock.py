"""Advisory file locks, which the kernel frees however a process ends.

A list of process ids in a file, the usual reference count, is wrong for ever after one kill -9.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from athenaeum.database.embedded.deadline import Deadline
from athenaeum.database.embedded.owner import Owner


class FileLock:
    """One hold on one lock file; each instance counts apart, also within a process.

    See flock(2): the lock belongs to the open file, and so to every process that inherited it.
    """

    def __init__(self, path: Path, owner: Owner) -> None:
        """Open (and create) the lock file without locking it."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        owner.give(path)

    def fileno(self) -> int:
        """The descriptor to hand to a child process that shall hold the lock."""
        return self._fd

    def seize(self) -> bool:
        """Try to hold the lock alone; a shared hold of this instance is turned into it."""
        return self._flock(fcntl.LOCK_EX)

    def share(self) -> bool:
        """Try to hold the lock beside other sharers."""
        return self._flock(fcntl.LOCK_SH)

    def _flock(self, mode: int) -> bool:
        try:
            fcntl.flock(self._fd, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go; a child that inherited the lock keeps it. Closing twice is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


@contextmanager
def alone(path: Path, owner: Owner, deadline: Deadline) -> Generator[FileLock]:
    """Hold the lock file alone, after waiting for whoever has it."""
    lock = FileLock(path, owner)
    try:
        while not lock.seize():
            deadline.pause()
        yield lock
    finally:
        lock.close()
