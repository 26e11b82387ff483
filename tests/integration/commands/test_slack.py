from __future__ import annotations

import json

import yaml

from athenaeum.slack.manifest import manifest
from support.command_line import CommandLine


async def test_the_manifest_is_the_same_in_both_forms(athenaeum: CommandLine) -> None:
    as_yaml, as_json = await athenaeum("slack", "manifest"), await athenaeum("slack", "manifest", "--json")

    assert yaml.safe_load(as_yaml.out) == json.loads(as_json.out) == manifest()


async def test_the_manifest_for_events_over_http(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("slack", "manifest", "--request-url", "https://example.com/slack/events", "--name", "Ada")

    settings = yaml.safe_load(outcome.out)
    assert settings["settings"]["socket_mode_enabled"] is False
    assert settings["settings"]["event_subscriptions"]["request_url"] == "https://example.com/slack/events"
    assert settings["display_information"]["name"] == "Ada"
