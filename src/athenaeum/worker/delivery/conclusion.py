"""Calls that have to come to their end, whatever becomes of their caller."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


async def conclude(call: Coroutine[Any, Any, T]) -> T:
    """Make a call; a caller that is cancelled meanwhile is so when it has ended, and can put right what it did.

    A request that was sent lives on without its sender: Slack may carry it out after somebody else's.
    """
    task = asyncio.ensure_future(call)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # was for the caller
        raise
