"""One question to a running demo, asked as a person in its workspace."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp

from athenaeum.conversations.turns import wait_for
from athenaeum.domain.identity import ChannelId, MessageTs, turn_id
from athenaeum.errors import Discard, Misconfigured
from athenaeum.tenants import register

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.turn import Answer

ASKER = "maya"
CHANNEL = "general"
_PATIENCE = 120.0  # seconds; the offline model needs one
_LOOK_AGAIN = 0.05  # seconds, until the message has come through the socket


async def ask_in_workspace(database: DatabaseConnection, url: str, question: str) -> Answer:
    """Mention the bot in a public channel and give the answer that was shown there.

    Args:
        database: the demo's.
        url: the address of its workspace.
        question: without the mention.

    Raises:
        Misconfigured: no answer came.
        Refused: the turn ended without one.
    """
    async with aiohttp.ClientSession(url) as http:
        world = await _get(http, "/_sim/world")
        said = {"user": ASKER, "channel": CHANNEL, "text": f"<@{world['bot']['user_id']}> {question}"}
        async with http.post("/_sim/messages", json=said) as response:
            message = await response.json()
    tenant = await register.resolve(database, world["team"]["id"], None)
    assert tenant is not None
    turn = turn_id(tenant.id, ChannelId(message["channel"]), MessageTs(message["ts"]))
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                try:
                    return await wait_for(database, tenant.id, turn)
                except Discard:
                    await asyncio.sleep(_LOOK_AGAIN)
    except TimeoutError as error:
        raise Misconfigured(
            f"no answer within {_PATIENCE:.0f} seconds: athenaeum doctor looks for the cause"
        ) from error


async def _get(http: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with http.get(path) as response:
        return await response.json()
