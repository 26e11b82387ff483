from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from athenaeum.diagnostics import Finding, Verdict
from slacksim.faults import Fault, Mode
from slacksim.server import SlackSim

Look = Callable[..., Awaitable[dict[str, Finding]]]
Settings = dict[str, str]


async def test_without_tokens_it_says_what_to_do_next(look: Look) -> None:
    found = await look()

    assert found["slack"].status is Verdict.WARNING
    assert "athenaeum slack manifest" in str(found["slack"].mend)
    assert Verdict.FAULT not in {finding.status for finding in found.values()}


async def test_a_workspace_that_is_connected(look: Look, slack: Settings, sim: SlackSim) -> None:
    found = await look(**slack)

    assert {found[subject].status for subject in ("bot token", "scopes", "app token", "socket")} == {Verdict.OK}
    assert sim.world.team.id in found["bot token"].detail
    assert "Slack's" in found["clock"].detail


async def test_slacks_clock_is_compared_too(look: Look, slack: Settings) -> None:
    found = await look(ahead=timedelta(minutes=10), **slack)

    assert found["clock"].status is Verdict.FAULT
    assert "Slack's" in found["clock"].detail


async def test_a_bot_token_that_slack_refuses(look: Look, slack: Settings) -> None:
    found = await look(**{**slack, "slack_bot_token": "xoxb-" + "wrong"})

    assert found["bot token"].status is Verdict.FAULT
    assert "invalid_auth" in found["bot token"].detail
    assert "SLACK_BOT_TOKEN" in str(found["bot token"].mend)
    assert found["app token"].status is Verdict.OK


async def test_an_app_token_without_a_bot_token(look: Look, slack: Settings) -> None:
    found = await look(**{**slack, "slack_bot_token": None})

    assert found["bot token"].status is Verdict.FAULT
    assert found["bot token"].detail == "SLACK_BOT_TOKEN is not set"


async def test_scopes_that_were_not_granted(look: Look, slack: Settings, sim: SlackSim) -> None:
    sim.world.app.scopes.remove("im:history")

    found = await look(**slack)

    assert found["scopes"].status is Verdict.FAULT
    assert found["scopes"].detail == "not granted: im:history"
    assert "athenaeum slack manifest" in str(found["scopes"].mend)


async def test_scopes_that_slack_does_not_tell(look: Look, slack: Settings, sim: SlackSim) -> None:
    sim.world.app.scopes.clear()

    assert (await look(**slack))["scopes"].status is Verdict.WARNING


async def test_no_way_for_events_to_come_in(look: Look, slack: Settings) -> None:
    found = await look(**{**slack, "slack_app_token": None})

    assert found["signing secret"].status is Verdict.FAULT
    assert "SLACK_SIGNING_SECRET" in str(found["signing secret"].mend)


async def test_events_over_http_need_no_app_token(look: Look, slack: Settings) -> None:
    found = await look(**{**slack, "slack_app_token": None, "slack_signing_secret": "secret"})

    assert found["signing secret"].status is Verdict.OK
    assert "app token" not in found
    assert "socket" not in found


@pytest.mark.parametrize(
    ("code", "detail", "mend"),
    [
        ("invalid_auth", "not valid", "SLACK_APP_TOKEN"),
        ("socket_mode_not_enabled", "socket mode disabled", "switch it on"),
        ("missing_scope", "connections:write", "make a new one"),
        ("something_new", "something_new", "SLACK_APP_TOKEN"),
    ],
)
async def test_an_app_token_that_slack_refuses(
    look: Look, slack: Settings, sim: SlackSim, code: str, detail: str, mend: str
) -> None:
    sim.simulation.faults.plan(Fault("apps.connections.open", "error", error=code))

    found = await look(**slack)

    assert found["app token"].status is Verdict.FAULT
    assert detail in found["app token"].detail
    assert mend in str(found["app token"].mend)


async def test_a_socket_behind_a_closed_door(look: Look, slack: Settings, sim: SlackSim) -> None:
    sim.simulation.url = "http://127.0.0.1:1"

    found = await look(**slack)

    assert found["app token"].status is Verdict.OK
    assert found["socket"].status is Verdict.FAULT
    assert "127.0.0.1:1" in found["socket"].detail
    assert "firewall" in str(found["socket"].mend)


@pytest.mark.parametrize("mode", ["500", "drop_before"])
async def test_a_slack_that_is_away(look: Look, slack: Settings, sim: SlackSim, mode: Mode) -> None:
    sim.simulation.faults.plan(Fault("*", mode, times=2))

    found = await look(**slack)

    for subject in ("bot token", "app token"):
        assert found[subject].status is Verdict.FAULT
        assert "cannot be reached" in found[subject].detail
        assert "SLACK_API_URL" in str(found[subject].mend)


async def test_a_slack_that_was_asked_too_often(look: Look, slack: Settings, sim: SlackSim) -> None:
    sim.simulation.faults.plan(Fault("apps.connections.open", "429", retry_after=30))

    found = await look(**slack)

    assert found["app token"].status is Verdict.WARNING
    assert "in a minute" in str(found["app token"].mend)
