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
    "team_join",
    "tokens_revoked",
    "user_change",
)


def required_scopes() -> frozenset[str]:
    """What a bot token must have been granted."""
    return frozenset(BOT_SCOPES)


def manifest(name: str = "Athenaeum", *, request_url: str | None = None) -> dict[str, Any]:
    """The manifest that api.slack.com takes to create or update the app.

    Args:
        name: As people see and mention it.
        request_url: Where Slack delivers events by HTTP; None for Socket Mode, which needs no public address.
    """
    delivery: dict[str, Any] = {"bot_events": list(BOT_EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    oauth: dict[str, Any] = {"scopes": {"bot": list(BOT_SCOPES)}}
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
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": name, "always_online": True},
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
