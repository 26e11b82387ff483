from __future__ import annotations

import asyncio

import pytest

from athenaeum.tools.mcp.containment import contain


async def test_whatever_fails_in_there_is_told_in_one_line() -> None:
    async def fail() -> None:
        raise ExceptionGroup("", [ValueError("two\nlines\u200b\x1b"), KeyError()])

    async def wait() -> None:
        raise TimeoutError

    assert await contain(fail()) == "two lines"
    assert await contain(wait()) == "it does not answer in time"


async def test_who_is_cancelled_while_that_fails_stays_cancelled() -> None:
    begun = asyncio.Event()

    async def fail_at_the_end() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            raise ValueError

    containing = asyncio.create_task(contain(fail_at_the_end()))
    await begun.wait()
    containing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await containing
