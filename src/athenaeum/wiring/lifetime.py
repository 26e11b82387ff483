"""How long a process serves: until it is told to end."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

log = structlog.get_logger(__name__)

T = TypeVar("T")


async def until_told_to_end(opening: AbstractAsyncContextManager[T], *, ready: Callable[[T], None]) -> None:
    """Keep something open until SIGTERM or SIGINT; `ready` is told when everything has begun."""
    stopped, begun = asyncio.Event(), asyncio.Event()
    loop, whole = asyncio.get_running_loop(), asyncio.current_task()
    assert whole is not None

    def stop() -> None:
        if not (begun.is_set() or stopped.is_set()):
            whole.cancel()  # it may be waiting for a database that never comes
        stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        async with opening as opened:
            begun.set()
            ready(opened)
            await stopped.wait()
            log.info("process.stopping")
    except asyncio.CancelledError:
        if not stopped.is_set():
            raise
        log.info("process.stopped_early")
