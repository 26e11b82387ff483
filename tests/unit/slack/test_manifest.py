from __future__ import annotations

from athenaeum.slack.manifest import BOT_EVENTS, manifest, required_scopes


def test_socket_mode_needs_no_address() -> None:
    settings = manifest()["settings"]
    assert settings["socket_mode_enabled"]
    assert "request_url" not in settings["event_subscriptions"]
    assert settings["interactivity"] == {"is_enabled": True}


def test_delivery_by_http_names_its_address() -> None:
    settings = manifest(request_url="https://bot.example.com/slack/events")["settings"]
    assert not settings["socket_mode_enabled"]
    assert settings["event_subscriptions"]["request_url"] == "https://bot.example.com/slack/events"


def test_the_scope_of_socket_mode_is_not_asked_of_the_bot() -> None:
    assert "connections:write" not in required_scopes()
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == required_scopes()


def test_every_kind_of_conversation_can_be_read_and_is_told() -> None:
    for kind in ("channels", "groups", "im", "mpim"):
        assert {f"{kind}:history", f"{kind}:read"} <= required_scopes()
        assert f"message.{kind}" in BOT_EVENTS


def test_people_can_write_to_the_app_directly() -> None:
    home = manifest()["features"]["app_home"]
    assert home["messages_tab_enabled"]
    assert not home["messages_tab_read_only_enabled"]


def test_the_long_description_is_as_long_as_slack_wants_it() -> None:
    information = manifest()["display_information"]
    assert 175 <= len(information["long_description"]) <= 4000
    assert len(information["description"]) <= 140
