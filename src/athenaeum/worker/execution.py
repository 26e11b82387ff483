"""Running a handler, whatever kind of function it is and whatever it raises."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress

from athenaeum.domain.event import Event

Process = Callable[[Event], object]
"""A handler: plain, and then run in a thread of its own, or async."""


async def execute(process: Process, event: Event) -> Exception | None:
    """Run the handler to its end and give what it raised; None when it returned."""
    try:
        result = process(event) if _is_async(process) else await _in_thread(process, event)
        if inspect.isawaitable(result):
            await result
    except Exception as error:  # noqa: BLE001 - a handler may raise anything; the retry policy decides what it means
        return error
    return None


def _is_async(process: Process) -> bool:
    return inspect.iscoroutinefunction(process) or inspect.iscoroutinefunction(getattr(process, "__call__", None))  # noqa: B004


async def _in_thread(process: Process, event: Event) -> object:
    # A daemon thread: unlike an executor's, one that hangs does not keep the process from ending.
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Callable[[], object]] = loop.create_future()
    context = contextvars.copy_context()

    def end(outcome: Callable[[], object]) -> None:
        if not ended.done():
            ended.set_result(outcome)

    def run() -> None:
        outcome = _outcome(lambda: context.run(process, event))
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(end, outcome)

    threading.Thread(target=run, name=f"event-{event.id}", daemon=True).start()
    return (await ended)()


def _outcome(call: Callable[[], object]) -> Callable[[], object]:
    """The call's end, to be repeated elsewhere: a future cannot carry every exception, StopIteration for one."""
    try:
        value = call()
    except BaseException as error:  # noqa: BLE001 - raised again where the handler is awaited
        raised = error

        def fail() -> object:
            raise raised

        return fail
    return lambda: value
