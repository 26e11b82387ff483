"""A workspace's traffic over Socket Mode: shuffled, repeated, disconnected, and the database restarted in the middle.

`make storm` does it with 100,000 events.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from athenaeum.database.connection import DatabaseConnection, init_db
from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.domain.identity import UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.gateway.rebuild import rebuild
from athenaeum.gateway.socket_mode import SocketMode
from athenaeum.tenants import register
from slacksim import scenario
from slacksim.deliveries import Delivery, Timing
from slacksim.server import SlackSim
from support.events import until
from support.outage import Outage
from support.slack_events import IDENTITY
from support.traffic import Body, Traffic, deliver_in_order, differences, picture, settle

STORM = os.environ.get("ATHENAEUM_STORM", "") not in {"", "0"}
EVENTS = 100_000 if STORM else 600
DISCONNECTS = 20 if STORM else 4
_IN_FLIGHT = 40
_PATIENCE = 14_400 if STORM else 500

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(_PATIENCE + 100)]


@asynccontextmanager
async def connected(listener: Listener, sim: SlackSim) -> AsyncGenerator[None]:
    socket = SocketMode(sim.world.app.app_token, listener, base_url=sim.api_url)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(socket.run())
        yield
        running.cancel()


async def install(database: DatabaseConnection, team: str, bot: str) -> Tenant:
    tenant = await register.bind(database, replace(IDENTITY, team_id=team, bot_user=UserId(bot)))
    await settle(database, tenant.id)
    return tenant


async def deliver(sim: SlackSim, told: Sequence[Body], outage: Outage) -> None:
    """Have Slack send them all, so many at a time, and wait until the last is acknowledged."""
    every = len(told) // (DISCONNECTS + 1)
    sent: list[Delivery] = []

    def unacknowledged(most: int) -> bool:
        sent[:] = [one for one in sent if not one.acked]
        return len(sent) <= most

    for number, body in enumerate(told):
        sent.append(sim.simulation.outbox.send(body))
        if number % every == every - 1:
            sim.simulation.sockets.disconnect(reason="refresh_requested")
        if number == len(told) // 2:
            await outage.restart()
        if len(sent) >= _IN_FLIGHT:
            await until(lambda: unacknowledged(_IN_FLIGHT // 2), seconds=_PATIENCE)
    await until(lambda: unacknowledged(0), seconds=_PATIENCE)


async def test_shuffled_repeated_and_interrupted_traffic_ends_in_the_archive_of_ordered_delivery(home: Path) -> None:
    choices = random.Random(20_261_121)
    world = scenario.build({"team": {"name": "Test", "domain": "test"}, "app": {"name": "athenaeum"}})
    told = [{**body, "team_id": world.team.id} for body in Traffic(choices).events(EVENTS)]
    shuffled = told + choices.choices(told, k=EVENTS // 10)
    choices.shuffle(shuffled)
    timing = Timing(ack_seconds=5, retry_delays=(0.2,) * 1000, warning_seconds=0.1)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedPostgres(home))
        database = await stack.enter_async_context(init_db(server.url))
        sim = await stack.enter_async_context(SlackSim(world, timing=timing))
        tenant = await install(database, world.team.id, world.app.user_id)
        async with connected(Listener(database, Intake(database)), sim):
            await deliver(sim, shuffled, Outage(server))
        found = await picture(database, tenant.id)

        ordered = await install(database, "T0RDERED", world.app.user_id)
        await deliver_in_order(database, ordered, told)
        right = await picture(database, ordered.id)
        assert differences(right, found) == {}

        rebuilt = await rebuild(database, tenant, lambda _done, _total: None)
        assert rebuilt.events == len(told)
        assert differences(right, await picture(database, tenant.id)) == {}
        with psycopg.connect(server.superuser_url) as owner:
            size = owner.execute("SELECT pg_size_pretty(pg_total_relation_size('slack_events'))").fetchone()
        print(f"{EVENTS} events, {len(found['slack_messages'])} messages; both logs take {size}")
