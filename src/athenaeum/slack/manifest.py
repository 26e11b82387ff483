"""The Slack app as a manifest: what it may do and what it is told, from one list each."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

BOT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "metadata.message:read",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "team:read",
    "users:read",
)
COMMAND_SCOPE = "commands"
"""Of an app that has a slash command; all else works without."""
APP_SCOPES = ("connections:write",)
"""Of the app-level token, which Socket Mode is opened with; a bot token cannot have them."""
BOT_EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "channel_archive",
    "channel_created",
    "channel_deleted",
    "channel_id_changed",
    "channel_left",
    "channel_rename",
    "channel_shared",
    "channel_unarchive",
    "channel_unshared",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_rename",
    "group_unarchive",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
    "team_access_granted",
    "team_access_revoked",
    "team_join",
    "tokens_revoked",
    "user_change",
)


_AGENT_SCOPE, _AGENT_EVENT = "assistant:write", "agent_session_stopped"
"""What an app that is an agent may do and is told besides: its status in a thread, and Slack's Stop button there."""
_FIRST_QUESTIONS = (
    "What was decided in this workspace this week?",
    "Who knows most about our deployments?",
    "What can you read, and what not?",
)


def required_scopes() -> frozenset[str]:
    """What a bot token must have been granted."""
    return frozenset(BOT_SCOPES)


def manifest(
    name: str = "Athenaeum",
    *,
    request_url: str | None = None,
    command: str = "athenaeum",
    home: bool = True,
    agent: bool = False,
) -> dict[str, Any]:
    """The manifest that api.slack.com takes to create or update the app.

    Args:
        name: As people see and mention it.
        request_url: Where Slack delivers events by HTTP; None for Socket Mode, which needs no public address.
        command: The slash command, without its slash; empty for an app without one. Of two apps with the same one in a
            workspace, only the one that was installed last is asked.
        home: Whether people find themselves in the app's Home tab.
        agent: Whether Slack is to treat the app as an agent. An app that became one remains one.
    """
    delivery: dict[str, Any] = {"bot_events": [*BOT_EVENTS, *([_AGENT_EVENT] if agent else [])]}
    interactivity: dict[str, Any] = {"is_enabled": True}
    scopes = (*BOT_SCOPES, COMMAND_SCOPE) if command else BOT_SCOPES
    oauth: dict[str, Any] = {"scopes": {"bot": sorted([*scopes, *([_AGENT_SCOPE] if agent else [])])}}
    if request_url is not None:
        delivery["request_url"] = request_url
        interactivity["request_url"] = request_url
        oauth["redirect_urls"] = [urljoin(request_url, "oauth_redirect")]
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": "Answers in the thread, once, with sources.",
            "background_color": "#2c2d30",
            "long_description": (
                "An AI teammate that answers questions from this workspace's messages and documents. Mention it in"
                " a channel it is a member of, or write to it directly: it answers in the thread, names its sources,"
                " and uses only what everyone in that thread may read. Its answers are generated and may be wrong."
            ),
        },
        "features": {
            "app_home": {
                "home_tab_enabled": home,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
            **({"agent_view": _agent_view()} if agent else {}),
            **({"slash_commands": [_command(command, request_url)]} if command else {}),
        },
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": delivery,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": request_url is None,
            "token_rotation_enabled": False,
        },
    }


def _agent_view() -> dict[str, Any]:
    return {
        "agent_description": "Answers questions from this workspace's messages and documents, with sources.",
        "suggested_prompts": [{"title": question, "message": question} for question in _FIRST_QUESTIONS],
    }


def _command(command: str, request_url: str | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "command": f"/{command}",
        "description": "Ask alone, and see what it knows of you and of this place",
        "usage_hint": "ask … | help | whoami | sources | settings | stop | mute | forget",
        "should_escape": False,
    }
    return described if request_url is None else {**described, "url": request_url}
