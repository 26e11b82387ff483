"""Errors that say what happens next, to the queue and to the user.

    AthenaeumError
    ├── Misconfigured   an operator must mend something; the message is one line that names the mend
    ├── RetryLater      the event goes back to the queue, after a stated time or the usual backoff
    ├── Refused         the event fails for good at once; trying again would not help
    ├── Discard         the event is done without effect, and that is right
    └── LeaseLost       another worker owns this work now; nothing more may be written

Only `athenaeum.worker.dispatch` maps them to outcomes of the queue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

APOLOGY = "Something went wrong on my side and I could not answer this. Please ask again in a moment."


class AthenaeumError(Exception):
    """Base of every error that Athenaeum raises on purpose."""

    def __init__(self, message: str, *, user_text: str = APOLOGY) -> None:
        """Keep the operator's message and the sentence for the person who asked."""
        super().__init__(message)
        self.user_text = user_text


class Misconfigured(AthenaeumError):  # noqa: N818 - named for what it means, like its siblings
    """An operator must act; the message is one line and names the command or setting that mends it."""


class RetryLater(AthenaeumError):  # noqa: N818
    """The cause may pass: the queue tries again after `after`, or after its usual backoff when None."""

    def __init__(self, message: str, *, after: timedelta | None = None, user_text: str = APOLOGY) -> None:
        """`after` comes from a Retry-After header where there was one."""
        super().__init__(message, user_text=user_text)
        self.after = after


class Refused(AthenaeumError):  # noqa: N818
    """Trying again would give the same result: the event fails now and is kept with this message."""


class Discard(AthenaeumError):  # noqa: N818
    """There is nothing left to do for this event (its message was deleted, its workspace left)."""


class LeaseLost(AthenaeumError):  # noqa: N818
    """The fencing token is not the newest: another worker has taken over, and this one must stop."""
