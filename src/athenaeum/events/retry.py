"""What an error means for the event whose handler raised it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.database.connection import transient
from athenaeum.errors import Discard, LeaseLost, Misconfigured, Refused, RetryLater

_FIRST = timedelta(seconds=10)
_FIRST_WITHOUT_DATABASE = timedelta(seconds=1)
"""A server restarts within seconds, and that an event is to be tried again is written when it is back."""
_JITTER = 0.2
"""Share of the delay: events that failed together do not all come back together."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Back to the queue, to be claimed again no sooner than `after`."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class Fail:
    """Failed for good; kept with its error."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Done: there was nothing left to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """Handed back untried: the attempt does not count."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Somebody else owns the event now; nothing is written."""


Decision = Retry | Fail | Finish | Release | Abandon


def decide(
    error: BaseException,
    *,
    attempt: int,
    max_retries: int,
    chance: Callable[[], float] = random.random,
) -> Retry | Fail | Finish | Abandon:
    """Decide by the error's class: 10, 20, 40 … seconds with jitter for whatever may pass, 1, 2, 4 … for the database.

    Args:
        error: What the handler raised.
        attempt: Of the event: 1 on its first claim.
        max_retries: Attempts after the first one.
        chance: A number in [0, 1) for the jitter.
    """
    match error:
        case LeaseLost():
            return Abandon()
        case Discard():
            return Finish()
        case Refused() | Misconfigured():
            return Fail()
        case _ if attempt > max_retries:
            return Fail()
        case RetryLater(after=timedelta() as after):
            return Retry(after)
        case _:
            of_database = isinstance(error, SQLAlchemyError | psycopg.Error) and transient(error)
            first = _FIRST_WITHOUT_DATABASE if of_database else _FIRST
            return Retry(first * 2 ** (attempt - 1) * (1 + _JITTER * (2 * chance() - 1)))


def describe(error: BaseException) -> str:
    """The error as the queue keeps it: its class and message, at most 2,000 characters."""
    text = f"{type(error).__name__}: {error}"[:2000].replace("\x00", "")
    return text.encode(errors="replace").decode()
