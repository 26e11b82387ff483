"""Work with a server, from which nothing comes out but its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from athenaeum.tools.quarantine import visible


async def contain(work: Coroutine[Any, Any, None]) -> str | None:
    """Run it as a task of its own: whatever a server brings about in there ends that task alone.

    Gives why it failed, in one line, which may hold the server's own words; None when it did not.
    """
    # not a TaskGroup: a task that fails while it is being cancelled would hide there that it was (until Python 3.13)
    (failure,) = await asyncio.gather(work, return_exceptions=True)
    return None if failure is None else _reason(failure)


def in_one_line(text: str) -> str:
    """Words that may be a server's own, for a log or a person."""
    printable = "".join(letter if letter.isprintable() else " " for letter in visible(text))
    return " ".join(printable.split())[:200]


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return in_one_line(str(error)) or type(error).__name__
