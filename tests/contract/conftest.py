"""The workspaces that are held to the contract: the simulator, and a real one where there are tokens for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from slacksim import scenario
from slacksim.deliveries import Timing
from slacksim.server import SlackSim
from support.live_slack import live_workspace
from support.slack_workspace import Ear, Workspace

SCENARIO: dict[str, Any] = {
    "users": [{"name": "maya", "real_name": "Maya Chen"}, {"name": "tom"}],
    "channels": [
        {"name": "contract", "members": ["maya", "tom", "athenaeum"]},
        {"name": "contract-private", "kind": "private", "members": ["maya", "athenaeum"]},
        {"name": "contract-foreign", "members": ["maya"]},
        {"name": "contract-hidden", "kind": "private", "members": ["maya"]},
        {"name": "contract-archived", "members": ["maya", "athenaeum"], "is_archived": True},
    ],
}


@pytest.fixture(params=["slacksim", pytest.param("slack", marks=pytest.mark.live_slack)])
async def workspace(request: pytest.FixtureRequest) -> AsyncIterator[Workspace]:
    async with simulated_workspace() if request.param == "slacksim" else live_workspace() as opened:
        yield opened


@asynccontextmanager
async def simulated_workspace() -> AsyncGenerator[Workspace]:
    world = scenario.build(SCENARIO)
    ids = {channel.name: channel.id for channel in world.channels.values()}
    maya = world.find_user("maya")
    assert maya is not None
    async with SlackSim(world, timing=Timing()) as sim, aiohttp.ClientSession() as session:

        async def say(channel: str, text: str, thread_ts: str | None) -> str:
            body = {"user": maya.id, "channel": channel, "text": text, "thread_ts": thread_ts}
            async with session.post(f"{sim.url}/_sim/messages", json=body) as answer:
                return str((await answer.json())["ts"])

        async def disconnect() -> None:
            body = {"reason": "refresh_requested"}
            async with session.post(f"{sim.url}/_sim/disconnect", json=body) as answer:
                assert answer.status == 200

        yield Workspace(
            bot=AsyncWebClient(token=world.app.bot_token, base_url=sim.api_url, session=session, retry_handlers=[]),
            app_token=world.app.app_token,
            bot_user=world.app.user_id,
            channel=ids["contract"],
            private=ids["contract-private"],
            foreign=ids["contract-foreign"],
            hidden=ids["contract-hidden"],
            archived=ids["contract-archived"],
            person=maya.id,
            say=say,
            disconnect=disconnect,
        )


@pytest.fixture
async def ear(workspace: Workspace) -> AsyncIterator[Ear]:
    ear = Ear()
    client = SocketModeClient(app_token=workspace.app_token, web_client=workspace.bot)
    client.socket_mode_request_listeners.append(ear.listen)
    await client.connect()
    yield ear
    await client.close()
