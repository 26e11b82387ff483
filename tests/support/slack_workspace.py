"""What the Slack contract needs of a workspace, simulated or real."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the contract needs of a workspace.

    Attributes:
        bot: An AsyncWebClient with the bot's token and no retries; untyped, as slack-sdk calls every field
            of an answer optional.
        channel: A public channel with the bot and the person in it; ``private`` likewise.
        foreign: A public channel without the bot; ``hidden`` a private one; ``archived`` is archived.
        person: Somebody's user id.
        say: Speaks as that person: channel, text, parent's ts or None; returns the ts.
        disconnect: Makes the workspace ask every connection for a refresh; a real one does so when it likes.
    """

    bot: Any
    app_token: str
    bot_user: str
    channel: str
    private: str
    foreign: str
    hidden: str
    archived: str
    person: str
    say: Callable[[str, str, str | None], Awaitable[str]]
    disconnect: Callable[[], Awaitable[None]] | None = None


@dataclass(slots=True)
class Ear:
    """What arrived by Socket Mode; every envelope is acknowledged."""

    requests: list[SocketModeRequest] = field(default_factory=list[SocketModeRequest])
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def listen(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        async with self._arrived:
            self.requests.append(request)
            self._arrived.notify_all()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [request.payload["event"] for request in self.requests if "event" in request.payload]

    async def hears(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event of the wanted kind, waited for ten seconds at most."""
        async with asyncio.timeout(10), self._arrived:
            await self._arrived.wait_for(lambda: any(map(wanted, self.events)))
        return next(event for event in self.events if wanted(event))
