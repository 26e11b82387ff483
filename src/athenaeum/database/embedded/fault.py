"""What went wrong, in one line that names the mend."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from athenaeum.errors import Misconfigured


@contextmanager
def explained(home: Path) -> Generator[None]:
    """Turn what the operating system and PostgreSQL say about a home's database into `Misconfigured`."""
    try:
        yield
    except TimeoutError as error:
        raise Misconfigured(
            f"the database in {home} did not answer in time: wait and start again, its log says why"
        ) from error
    except OSError as error:
        reason = f"{error.strerror}: {error.filename}" if error.filename else str(error)
        raise Misconfigured(f"cannot keep a database in {home} ({reason}): {mend(reason)}") from error
    except psycopg.Error as error:
        reason = str(error).splitlines()[0]
        told = mend(reason, otherwise="start again, its log says more, or set DATABASE_URL")
        raise Misconfigured(f"cannot set up the database in {home} ({reason}): {told}") from error


_ELSEWHERE = "set ATHENAEUM_HOME to a directory that this user may write, or DATABASE_URL to a server elsewhere"


def mend(reason: str, *, otherwise: str = _ELSEWHERE) -> str:
    """What a person can do about a failure: make space when that is the reason."""
    if "No space left" in reason or "quota" in reason.lower():
        return "free some space, or set ATHENAEUM_HOME to a disk with more"
    return otherwise
