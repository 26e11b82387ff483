from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import text

from athenaeum.conversations.sync import sync_workspace
from athenaeum.database.connection import DatabaseConnection
from athenaeum.diagnostics import Finding, Verdict
from athenaeum.slack.client import SlackClient
from athenaeum.tenants import register
from slacksim.server import SlackSim

Look = Callable[..., Awaitable[dict[str, Finding]]]


async def test_a_channel_that_was_not_read_for_long_is_told(look: Look, sim: SlackSim, database_url: str) -> None:
    assert "histories" not in await look()  # no workspace is connected
    async with (
        DatabaseConnection(database_url) as database,
        SlackClient(sim.world.app.bot_token, base_url=sim.api_url) as client,
    ):
        tenant = await register.bind(database, await client.auth_test())
        await sync_workspace(database, client, tenant.id)
        assert (await look())["histories"].status is Verdict.OK
        # a channel that nobody reads any more, and one in which the bot is not
        async with database.session(tenant.id) as session:
            inside = f"channel_id IN (SELECT channel_id FROM slack_members WHERE user_id = '{tenant.bot_user}')"
            stale = "UPDATE slack_channels SET history_read_at = now() - interval '3 hours'"
            await session.execute(
                text(f"{stale} WHERE channel_id = (SELECT min(channel_id) FROM slack_channels WHERE {inside})")
            )
            await session.execute(text(f"{stale} WHERE NOT {inside}"))
    found = (await look())["histories"]

    assert (found.status, found.detail) == (
        Verdict.WARNING,
        "channels that were not read lately: 1, the longest 180 min",
    )
