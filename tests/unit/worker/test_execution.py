from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable
from datetime import UTC, datetime
from functools import partial

import pytest

from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT, EventId, LeaseToken
from athenaeum.worker.execution import execute

EVENT = Event(EventId(1), DEFAULT_TENANT, "test", {}, LeaseToken(1), 1, datetime.now(UTC))


async def test_an_async_handler_runs_on_the_loop() -> None:
    seen: list[threading.Thread] = []

    async def handle(_: Event) -> None:
        seen.append(threading.current_thread())

    assert await execute(handle, EVENT) is None
    assert seen == [threading.current_thread()]


async def test_a_plain_handler_runs_in_a_thread_that_cannot_keep_the_process_alive() -> None:
    seen: list[threading.Thread] = []
    assert await execute(lambda _: seen.append(threading.current_thread()), EVENT) is None
    assert seen[0] is not threading.current_thread()
    assert seen[0].daemon


async def test_an_object_with_an_async_call_runs_on_the_loop() -> None:
    class Handler:
        thread: threading.Thread | None = None

        async def __call__(self, event: Event) -> None:
            self.thread = threading.current_thread()

    handler = Handler()
    assert await execute(handler, EVENT) is None
    assert handler.thread is threading.current_thread()


async def test_a_plain_function_that_gives_an_awaitable_is_awaited() -> None:
    done = asyncio.Event()

    async def finish() -> None:
        done.set()

    def handle(_: Event) -> Awaitable[None]:
        return finish()

    assert await execute(partial(handle), EVENT) is None
    assert done.is_set()


@pytest.mark.parametrize("error", [ValueError("x"), StopIteration(), TimeoutError()])
async def test_what_a_plain_handler_raises_is_given_back(error: Exception) -> None:
    def handle(_: Event) -> None:
        raise error

    assert type(await execute(handle, EVENT)) in {type(error), RuntimeError}


async def test_what_an_async_handler_raises_is_given_back() -> None:
    error = ValueError("x")

    async def handle(_: Event) -> None:
        raise error

    assert await execute(handle, EVENT) is error


async def test_a_thread_sees_the_context_of_its_task() -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")
    name.set("turn 7")
    seen: list[str] = []
    await execute(lambda _: seen.append(name.get()), EVENT)
    assert seen == ["turn 7"]
