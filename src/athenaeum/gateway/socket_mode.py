"""Socket Mode: one WebSocket to Slack that is opened again whatever happens to it.

slack_sdk's client keeps a connection and follows Slack's requests to move it. Left to reconnect by itself, it
asks for a new address every few seconds for ever when the app may not connect, and tries a used address for ever
when connecting failed once; so it is replaced whole, with a growing pause, by the loop here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog
from aiohttp import WSMessage
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from athenaeum.gateway.envelope import COMMAND
from athenaeum.gateway.listener import Listener, Receipt
from athenaeum.observability.health import Probe, Status

log = structlog.get_logger(__name__)

_FIRST_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 60.0
_LONGEST_PAUSE_REFUSED = 300.0  # for what an operator must mend
_CONNECT_TIMEOUT = 15.0
_WATCH_INTERVAL = 1.0
_PING_INTERVAL = 5.0

REFUSALS = {
    "socket_mode_not_enabled": "socket mode disabled: switch it on in the app's settings (Socket Mode)",
    "link_disabled": "socket mode disabled: switch it on in the app's settings (Socket Mode)",
    "invalid_auth": "the app token is not valid: set SLACK_APP_TOKEN to a current xapp- token",
    "not_authed": "the app token is not valid: set SLACK_APP_TOKEN to a current xapp- token",
    "token_revoked": "the app token was revoked: make a new one (Basic Information) and set SLACK_APP_TOKEN",
    "account_inactive": "the app was removed from the workspace: install it again",
    "not_allowed_token_type": "SLACK_APP_TOKEN is not an app-level token: those start with xapp-",
    "missing_scope": "the app token lacks the scope connections:write: make a new one (Basic Information)",
}
"""What Slack's refusals to connect mean, and the mend."""


class _Refused(Exception):  # noqa: N818 - ends one connection, never leaves this module
    """Slack said no to the connection; `code` is its word for it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class _Link:
    """What one connection has been told."""

    disabled: bool = False
    alive_since: float = field(default_factory=time.monotonic)


class SocketMode:
    """Keeps the connection and hands each envelope to the listener; acknowledged is what was taken."""

    def __init__(self, app_token: str, listener: Listener, *, base_url: str) -> None:
        """`base_url` is the Web API's, with a slash at its end; nothing is opened yet."""
        self._token = app_token
        self._listener = listener
        self._base_url = base_url
        self._connected = asyncio.Event()
        self.greeted = asyncio.Event()
        """Set whenever Slack has opened a connection, also one that the client itself moved to; for others to clear."""
        self._fault = "not connected yet"
        self._refused = False
        self._last_envelope: float | None = None
        self._handling: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        failures = 0
        while True:
            opened = time.monotonic()
            try:
                await self._connect_and_watch()
                self._fault = "the connection was lost"
            except _Refused as error:
                self._refuse(error.code)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                self._refused, self._fault = False, f"Slack is not reachable ({type(error).__name__})"
                log.warning("socket.unreachable", error=type(error).__name__)
            finally:
                self._connected.clear()
                if self._handling:  # the client starts them and waits for none
                    await asyncio.wait(self._handling)
            failures = 0 if time.monotonic() - opened > _LONGEST_PAUSE else failures + 1
            longest = _LONGEST_PAUSE_REFUSED if self._refused else _LONGEST_PAUSE
            await asyncio.sleep(_pause(failures, longest))

    async def wait_until_connected(self) -> None:
        """Return as soon as there is a connection."""
        await self._connected.wait()

    async def probe(self) -> Probe:
        """How the connection is, and how long ago the last envelope came."""
        facts = {} if self._last_envelope is None else {"last_event_seconds": round(time.time() - self._last_envelope)}
        if self._connected.is_set():
            return Probe(Status.UP, facts=facts)
        return Probe(Status.DOWN, self._fault, facts)

    def _refuse(self, code: str) -> None:
        self._refused = True
        self._fault = REFUSALS.get(code, f"Slack refuses the connection: {code}")
        log.error("socket.refused", code=code, next=self._fault)

    async def _connect_and_watch(self) -> None:
        link = _Link()
        async with _client(self._token, self._base_url) as client:
            client.socket_mode_request_listeners.append(self._handle)
            client.on_message_listeners.append(_notice_of(link, self.greeted))
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                client.wss_uri = await _new_address(client)
                await client.connect()
            self._connected.set()
            self._refused = False
            log.info("socket.connected")
            absent = 0
            while absent < 3 and not link.disabled:  # the client itself needs a moment to move to a new address
                await asyncio.sleep(_WATCH_INTERVAL)
                absent = 0 if await client.is_connected() else absent + 1
        if link.disabled:
            raise _Refused("link_disabled")
        log.warning("socket.lost")

    async def _handle(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if task := asyncio.current_task():
            self._handling.add(task)
            task.add_done_callback(self._handling.discard)
        self._last_envelope = time.time()
        if request.type in {"events_api", "interactive"}:
            receipt = await self._listener.receive(request.payload, transport="socket")
            if receipt is Receipt.AWAY:
                return  # Slack sends an event again, and tells who clicked that it did not work
        shown = await self._listener.answer(request.payload, transport="socket") if request.type == COMMAND else {}
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload=shown or None))


@asynccontextmanager
async def _client(token: str, base_url: str) -> AsyncGenerator[SocketModeClient]:
    logger = logging.getLogger("athenaeum.gateway.socket")
    logger.setLevel(logging.CRITICAL)  # below it the client writes down payloads and tracebacks; we log ourselves
    web = AsyncWebClient(token=token, base_url=base_url, logger=logger)
    client = SocketModeClient(
        token, logger=logger, web_client=web, auto_reconnect_enabled=False, ping_interval=_PING_INTERVAL
    )
    try:
        yield client
    finally:
        await client.close()
        tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
        await asyncio.wait([task for task in tasks if task is not None])  # cancelled, but not gone yet


async def _new_address(client: SocketModeClient) -> str:
    try:
        return await client.issue_new_wss_url()
    except SlackApiError as error:
        raise _Refused(str(error.response.get("error", "unknown"))) from error


def _notice_of(link: _Link, greeted: asyncio.Event) -> Any:
    async def notice(message: WSMessage) -> None:
        # the client takes every `disconnect` for a wish to move; this one means that nothing may come back
        frame = json.loads(message.data) if "disconnect" in message.data or "hello" in message.data else {}
        if frame.get("type") == "disconnect" and frame.get("reason") == "link_disabled":
            link.disabled = True
        elif frame.get("type") == "hello":
            greeted.set()

    return notice


def _pause(failures: int, longest: float) -> float:
    return min(longest, _FIRST_PAUSE * 2 ** min(failures, 16)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
