"""Whatever order Slack's events come in, and however often, the archive is the one of ordered, single delivery."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.envelope import read_envelope
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.rebuild import rebuild
from athenaeum.tenants import register
from support.slack_events import IDENTITY
from support.traffic import Body, Picture, Traffic, differences, picture, settle

STORM = os.environ.get("ATHENAEUM_STORM", "") not in {"", "0"}
EXAMPLES, ORDERS = (500, 8) if STORM else (15, 3)

pytestmark = pytest.mark.timeout(7200 if STORM else 300)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=5) as opened:
        yield opened


async def newcomer(database: DatabaseConnection) -> Tenant:
    """A workspace that nothing was told of yet."""
    tenant = await register.bind(database, replace(IDENTITY, team_id=f"T{random.Random().getrandbits(48):X}"))
    await settle(database, tenant.id)
    return tenant


async def play(database: DatabaseConnection, bodies: Iterable[Body], *, at_once: int = 1) -> tuple[Tenant, Picture]:
    tenant, intake = await newcomer(database), Intake(database)
    waiting = iter(bodies)

    async def deliver() -> None:
        for body in waiting:
            await intake.take_in(read_envelope(body), tenant)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(deliver())
    return tenant, await picture(database, tenant.id)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), count=st.integers(4, 16))
@example(seed=0, count=40)
@example(seed=157501758, count=7)  # somebody came into a channel whose id was changed after that
@example(seed=4496, count=6)  # somebody had reacted there to what was deleted under the new id
@example(seed=25956, count=6)  # and under the new id to what was deleted there
async def test_any_order_with_duplicates_ends_in_the_archive_of_the_right_order(
    database: DatabaseConnection, seed: int, count: int
) -> None:
    choices = random.Random(seed)
    told = list(Traffic(choices).events(count))
    _, right = await play(database, told)

    for _ in range(ORDERS):
        shuffled = told + choices.choices(told, k=count // 3)
        choices.shuffle(shuffled)
        _, found = await play(database, shuffled, at_once=choices.choice([1, 4]))
        assert differences(right, found) == {}, [body["event"] for body in shuffled]


async def test_the_archive_made_again_from_the_log_is_the_same(database: DatabaseConnection) -> None:
    told = list(Traffic(random.Random(7)).events(300))
    tenant, before = await play(database, told, at_once=4)

    rebuilt = await rebuild(database, tenant, lambda _done, _total: None)

    assert rebuilt.events == len(told)
    assert differences(before, await picture(database, tenant.id)) == {}
