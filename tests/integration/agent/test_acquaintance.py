"""A question waits while its place is about to be read; not for long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import monotonic

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.agent.acquaintance import get_to_know
from athenaeum.conversations.sync.refresh import refresh_channel, refresh_person
from athenaeum.domain.identity import DEFAULT_TENANT
from support.desk import QUESTION, SECRET, Desk

PATIENCE = timedelta(seconds=0.3)


async def _channel(session: AsyncSession) -> None:
    await refresh_channel(session, DEFAULT_TENANT, QUESTION.place.id, cause="a test")


async def _person(session: AsyncSession) -> None:
    await refresh_person(session, DEFAULT_TENANT, QUESTION.asker, cause="a test")


@pytest.mark.parametrize("due", [_channel, _person])
async def test_what_takes_long_to_be_read_is_not_waited_for_without_an_end(
    desk: Desk, due: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    async with desk.database.session(DEFAULT_TENANT) as session:
        await due(session)  # and nobody works here

    began = monotonic()
    known = await get_to_know(desk.database, QUESTION, patience=PATIENCE)

    assert monotonic() - began > PATIENCE.total_seconds()
    assert known.place == QUESTION.place


async def test_another_channel_that_is_read_keeps_nobody_waiting(desk: Desk) -> None:
    async with desk.database.session(DEFAULT_TENANT) as session:
        await refresh_channel(session, DEFAULT_TENANT, SECRET, cause="a test")

    assert await get_to_know(desk.database, QUESTION, patience=timedelta(seconds=20)) is QUESTION
