from __future__ import annotations

import socket

import aiohttp
import pytest

from slacksim.server import SlackSim
from support.command_line import CommandLine
from support.events import until
from support.relay import Relay

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
ROLES = ["up", "worker"]


@pytest.mark.parametrize("role", ROLES)
async def test_a_database_that_is_away_is_waited_for(athenaeum: CommandLine, slack: dict[str, str], role: str) -> None:
    async with athenaeum.service(role, **slack, DATABASE_URL=NOWHERE) as service:
        assert "127.0.0.1:1" in await service.says("database.unreachable")
        await service.says("database.unreachable")

        assert await service.end() == 0


async def test_a_database_that_comes_late_is_used(athenaeum: CommandLine, database_url: str) -> None:
    async with Relay(database_url) as early:
        address = early.url
    async with athenaeum.service("worker", DATABASE_URL=address) as service:
        await service.says("database.unreachable")
        async with Relay(database_url, port=int(address.rpartition(":")[2].partition("/")[0])):
            await service.says("Athenaeum is up")

            assert await service.end() == 0


async def test_everything_in_one_process_tells_its_health(athenaeum: CommandLine, slack: dict[str, str]) -> None:
    async with athenaeum.service("up", **slack) as service:
        address = (await service.says("Athenaeum is up")).rsplit(" ", 1)[-1].strip()
        async with aiohttp.ClientSession() as session:

            async def healthy() -> bool:
                async with session.get(address) as answer:
                    return answer.status == 200

            await until(healthy)
            async with session.get(address) as answer:
                assert {"database", "queue", "slack", "workers", "socket"} <= set(await answer.json())

        assert await service.end() == 0


async def test_a_port_that_is_taken(athenaeum: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = await athenaeum("worker", ATHENAEUM_PORT=str(port))

    assert outcome.status == 1
    assert f"cannot listen on 127.0.0.1:{port}" in outcome.err.splitlines()[-1]
    assert "ATHENAEUM_PORT" in outcome.err.splitlines()[-1]


@pytest.mark.parametrize("role", ["gateway"])
async def test_a_gateway_without_a_bot_token(athenaeum: CommandLine, role: str) -> None:
    outcome = await athenaeum(role)

    assert outcome.status == 1
    assert "SLACK_BOT_TOKEN is not set" in outcome.err.splitlines()[-1]


async def test_a_gateway_without_a_way_for_events(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("gateway", SLACK_BOT_TOKEN="xoxb-" + "some")

    assert outcome.status == 1
    assert "SLACK_APP_TOKEN" in outcome.err.splitlines()[-1]
    assert "SLACK_SIGNING_SECRET" in outcome.err.splitlines()[-1]


async def test_a_bot_token_that_slack_refuses(athenaeum: CommandLine, slack: dict[str, str]) -> None:
    outcome = await athenaeum("up", **{**slack, "SLACK_BOT_TOKEN": "xoxb-" + "wrong"})

    assert outcome.status == 1
    assert "invalid_auth" in outcome.err.splitlines()[-1]
    assert "SLACK_BOT_TOKEN" in outcome.err.splitlines()[-1]


async def test_an_app_token_that_slack_refuses_is_told_and_does_not_end_the_process(
    athenaeum: CommandLine, slack: dict[str, str]
) -> None:
    async with athenaeum.service("up", **{**slack, "SLACK_APP_TOKEN": "xapp-" + "wrong"}) as service:
        assert "SLACK_APP_TOKEN" in await service.says("socket.refused")

        assert await service.end() == 0


async def test_a_model_that_cannot_be_used_stops_the_start(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("worker", ATHENAEUM_MODEL="nonsense")

    assert outcome.status == 1
    assert "ATHENAEUM_MODEL" in outcome.err.splitlines()[-1]


async def test_a_revoked_token_is_told(athenaeum: CommandLine, slack: dict[str, str], sim: SlackSim) -> None:
    sim.world.app.is_revoked = True

    outcome = await athenaeum("up", **slack)

    assert outcome.status == 1
    assert "token_revoked" in outcome.err.splitlines()[-1]
