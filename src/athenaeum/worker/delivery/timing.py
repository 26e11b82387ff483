"""How long delivery waits, and for what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations of the posting protocol and of progress."""

    window: timedelta = timedelta(seconds=2)
    """How soon after taking the right to post the request must be on its way; a poster that stood still begins anew."""
    lease: timedelta = timedelta(seconds=12)
    """For how long a poster has the right to post: the window and the client's timeout of 10 s.

    Not shorter: a request that was sent lives on without its sender. That a newer token holds the turn says that the
    sender posts nothing more, not that what it sent has arrived, so the next one waits for as long as it could take.
    """
    glance: timedelta = timedelta(seconds=1)
    """How long a message that another poster posts is waited for before the thread is looked at, then twice as long."""
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
    stream: timedelta = timedelta(seconds=240)
    """After which a message that is streamed goes on by updates: Slack ends a stream some 300 s after its start."""
