"""An organisation lets the app into workspaces, and shuts it out of them."""

from __future__ import annotations

from sqlalchemy import text

from athenaeum.conversations.sync import sync_workspace
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import UserId
from athenaeum.domain.passage import Origin
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.listener import Listener
from athenaeum.retrieval.audience import readable_shelves
from athenaeum.slack.client import SlackClient
from slacksim.server import SlackSim
from support.slack_events import Events, Store, take


async def test_until_slack_says_which_channels_are_lost_nobody_reads_any(
    listener: Listener, events: Events, store: Store, sim: SlackSim, database: DatabaseConnection, tenant: Tenant
) -> None:
    maya = sim.world.find_user("maya")
    general, secret = sim.world.find_channel("general"), sim.world.find_channel("secret")
    assert maya is not None
    assert general is not None
    assert secret is not None
    (direct,) = [channel.id for channel in sim.world.channels.values() if channel.kind == "im"]

    async def readable() -> set[str]:
        shelves, parameters = readable_shelves(Audience(tenant.id, UserId(maya.id), None), frozenset({Origin.MESSAGE}))
        async with database.session(tenant.id) as session:
            return set(await session.scalars(text(shelves), parameters))

    async with SlackClient(sim.world.app.bot_token, base_url=sim.api_url) as client:
        await sync_workspace(database, client, tenant.id)
        assert await readable() == {general.id, secret.id, direct}

        revoked = events.callback({"type": "team_access_revoked", "team_ids": ["T0002"]})
        await take(listener, revoked, revoked)
        assert await readable() == {direct}
        assert len(await store.rows("SELECT FROM queued_events WHERE kind = 'slack.workspace'")) == 1

        del sim.world.channels[general.id]  # it was of the workspace that is shut now
        await sync_workspace(database, client, tenant.id)
        assert await readable() == {secret.id, direct}


async def test_a_workspace_that_was_opened_is_read_and_nobody_loses_anything(
    listener: Listener, events: Events, store: Store, sim: SlackSim, database: DatabaseConnection, tenant: Tenant
) -> None:
    async with SlackClient(sim.world.app.bot_token, base_url=sim.api_url) as client:
        await sync_workspace(database, client, tenant.id)
    known = "SELECT channel_id, kind, is_shared, members_read_at FROM slack_channels ORDER BY 1"
    before = await store.rows(known)

    await take(listener, events.callback({"type": "team_access_granted", "team_ids": ["T0002"]}))

    assert await store.rows(known) == before
    assert len(await store.rows("SELECT FROM queued_events WHERE kind = 'slack.workspace'")) == 1
