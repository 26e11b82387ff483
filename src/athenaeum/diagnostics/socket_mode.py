"""Whether a Socket Mode connection could be opened; none is, for Slack would send it events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from athenaeum.diagnostics.finding import Finding, fault, ok
from athenaeum.diagnostics.outage import outage
from athenaeum.gateway.socket_mode import REFUSALS
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import SlackFailure

if TYPE_CHECKING:
    from athenaeum.config import Config

TOKEN, SOCKET = "app token", "socket"
_PATIENCE = 10.0  # seconds
_APP = "set SLACK_APP_TOKEN to the xapp- token of the app's page, Basic Information"


async def look(config: Config) -> list[Finding]:
    """Ask for an address and see whether its host takes connections; nothing without an app token."""
    if config.slack_app_token is None:
        return []
    token = config.slack_app_token.get_secret_value()
    try:
        async with SlackClient(token, base_url=config.slack_api_url) as client:
            address = await client.open_socket()
    except SlackFailure as failure:
        return [outage(TOKEN, failure, config.slack_api_url) or _refusal(failure)]
    return [ok(TOKEN, "Slack offers a connection"), await _reach(address)]


def _refusal(failure: SlackFailure) -> Finding:
    known = REFUSALS.get(failure.code, f"Slack refuses it: {_APP}")
    detail, _, mend = known.partition(": ")
    return fault(TOKEN, f"{detail} ({failure.code})", mend or _APP)


async def _reach(address: str) -> Finding:
    parts = urlsplit(address)
    encrypted = parts.scheme == "wss"
    port = parts.port or (443 if encrypted else 80)
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(parts.hostname, port, ssl=encrypted or None)
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        return fault(
            SOCKET, f"{parts.hostname}:{port} cannot be reached ({reason})", "let it through the firewall or proxy"
        )
    return ok(SOCKET, f"{parts.hostname}:{port} takes connections")
