"""A burst of events, and the connections it takes."""

from __future__ import annotations

import asyncio

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from support.slack_events import Events, Store, take


async def test_a_burst_is_stored_through_the_connections_that_the_pool_keeps_open(
    database_url: str, tenant: Tenant, events: Events, store: Store
) -> None:
    payloads = [events.message(f"number {number}") for number in range(40)]
    async with DatabaseConnection(database_url) as pooled:
        listener = Listener(pooled, Intake(pooled))
        open_at_once: list[int] = []

        async with asyncio.TaskGroup() as group:
            burst = [group.create_task(take(listener, payload)) for payload in payloads]
            while not all(task.done() for task in burst):
                open_at_once.append(pooled.get_pool_status().open)
                await asyncio.sleep(0)

    assert len(await store.messages()) == 40
    assert 1 < max(open_at_once) <= 10
