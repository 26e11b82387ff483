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
    assert set(manifest(command="")["oauth_config"]["scopes"]["bot"]) == required_scopes()


def test_the_slash_command_needs_a_scope_and_over_http_an_address() -> None:
    described = manifest(request_url="https://bot.example.com/slack/events", command="lantern")
    [command] = described["features"]["slash_commands"]
    assert (command["command"], command["url"]) == ("/lantern", "https://bot.example.com/slack/events")
    assert len(command["description"]) <= 2000
    assert set(described["oauth_config"]["scopes"]["bot"]) == {*required_scopes(), "commands"}
    assert "url" not in manifest()["features"]["slash_commands"][0]


def test_an_installation_may_do_without_the_command_and_the_home() -> None:
    features = manifest(command="", home=False)["features"]
    assert "slash_commands" not in features
    assert features["app_home"]["home_tab_enabled"] is False
    assert manifest()["features"]["app_home"]["home_tab_enabled"] is True


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


def test_an_agent_has_slacks_stop_button_and_questions_to_begin_with() -> None:
    described = manifest(agent=True)
    assert "assistant:write" in described["oauth_config"]["scopes"]["bot"]
    assert "agent_session_stopped" in described["settings"]["event_subscriptions"]["bot_events"]
    prompts = described["features"]["agent_view"]["suggested_prompts"]
    assert 3 <= len(prompts) <= 4
    assert all(prompt["title"] and prompt["message"] for prompt in prompts)
    assert "agent_view" not in manifest()["features"]
