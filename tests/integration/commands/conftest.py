"""The command line, and a workspace for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from slacksim import scenario
from slacksim.server import SlackSim
from support.command_line import CommandLine
from support.zygote import Zygote


@pytest.fixture
def athenaeum(tmp_path: Path, database_url: str, zygote: Zygote) -> CommandLine:
    return CommandLine(tmp_path, database_url, zygote)


@pytest.fixture
async def sim() -> AsyncGenerator[SlackSim]:
    async with SlackSim(scenario.load()) as server:
        yield server


@pytest.fixture
def slack(sim: SlackSim) -> dict[str, str]:
    """The variables that connect to the simulated workspace by Socket Mode."""
    app = sim.world.app
    return {"SLACK_BOT_TOKEN": app.bot_token, "SLACK_APP_TOKEN": app.app_token, "SLACK_API_URL": sim.api_url}
