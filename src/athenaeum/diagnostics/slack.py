"""Whether Slack knows the app, and events can come from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.diagnostics import blocks, clock, scopes, socket_mode
from athenaeum.diagnostics.finding import Finding, fault, ok, warning
from athenaeum.diagnostics.outage import outage
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import SlackFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from athenaeum.config import Config

SUBJECT = "bot token"
_GUIDE = "docs/guides/slack.md"
_PLACE = "the app's page, OAuth & Permissions"


async def look(config: Config, compare: Callable[[str, datetime], None]) -> list[Finding]:
    """Ask Slack about the tokens; `compare` is told its clock."""
    is_distributed = config.slack_client_id is not None  # workspaces install it themselves
    if config.slack_bot_token is None and config.slack_app_token is None and not is_distributed:
        next_step = f"athenaeum slack manifest prints the app to create; {_GUIDE} tells the rest"
        return [warning("slack", "not connected; the terminal and the demo work without", next_step)]
    found: list[Finding] = []
    if config.slack_bot_token is not None or not is_distributed:
        found += await _bot(config, compare)
    found += await socket_mode.look(config)
    if config.slack_signing_secret is not None:
        found.append(ok("signing secret", f"set; events over HTTP come to port {config.port}, /slack/events"))
    elif config.slack_app_token is None:
        mend = "set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for events over HTTP"
        found.append(fault("signing secret", "no way for events to come in", mend))
    return found


async def _bot(config: Config, compare: Callable[[str, datetime], None]) -> list[Finding]:
    if config.slack_bot_token is None:
        return [fault(SUBJECT, "SLACK_BOT_TOKEN is not set", f"set it to the xoxb- token of {_PLACE}")]
    token = config.slack_bot_token.get_secret_value()
    try:
        async with SlackClient(token, base_url=config.slack_api_url) as client:
            identity = await client.auth_test()
            shown = await blocks.look(client)
    except SlackFailure as failure:
        mend = f"set SLACK_BOT_TOKEN to the xoxb- token of {_PLACE}"
        refused = fault(SUBJECT, f"Slack refuses it ({failure.code})", mend)
        return [outage(SUBJECT, failure, config.slack_api_url) or refused]
    if identity.answered_at is not None:
        compare(clock.SLACK, identity.answered_at)
    return [
        ok(SUBJECT, f"of {identity.team} ({identity.team_id}), bot user {identity.bot_user}"),
        scopes.look(identity),
        shown,
    ]
