"""How long delivery waits, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of the posting protocol and of progress."""

    lease: timedelta = timedelta(seconds=20)
    """For how long a poster has the right to post; longer than the client's timeout."""
    poll: timedelta = timedelta(milliseconds=100)
    """Between looks at a message that another poster is posting."""
    read_back: tuple[timedelta, ...] = (timedelta(0), timedelta(seconds=0.5), timedelta(seconds=1))
    """The pauses before each reading of the thread; only after all of them is a message taken for absent."""
    patience: timedelta = timedelta(seconds=60)
    """After which a message that doesn't get through goes back to the queue."""
    backoff: timedelta = timedelta(milliseconds=500)
    """Before an update is repeated after a failure that may pass."""
    progress: timedelta = timedelta(seconds=1.2)
    """Between two updates of the same message."""
