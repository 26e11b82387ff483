"""A doctor, and everything that it looks at, each real."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from athenaeum.config import Config
from athenaeum.database.connection import DatabaseConnection
from athenaeum.diagnostics import Finding, examine
from slacksim import scenario
from slacksim.server import SlackSim
from support.events import Queue

Look = Callable[..., Awaitable[dict[str, Finding]]]


@pytest.fixture(autouse=True)
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in Config().describe():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
async def sim() -> AsyncGenerator[SlackSim]:
    async with SlackSim(scenario.load()) as server:
        yield server


@pytest.fixture
async def events(database_url: str) -> AsyncGenerator[Queue]:
    async with DatabaseConnection(database_url) as database, Queue(database) as queue:
        yield queue


@pytest.fixture
def look(tmp_path: Path, database_url: str) -> Look:
    """Looks at everything with these settings; gives the last finding of each subject."""
    quiet = {"home": tmp_path / "home", "database_url": database_url, "embedder": "none", "model": "offline"}

    async def examination(*, ahead: timedelta = timedelta(0), **settings: Any) -> dict[str, Finding]:
        config = Config(**{**quiet, **settings})
        findings = await examine(config, now=lambda: datetime.now(UTC) + ahead)
        return {finding.subject: finding for finding in findings}

    return examination


@pytest.fixture
def slack(sim: SlackSim) -> dict[str, str]:
    """The settings that connect to the simulated workspace by Socket Mode."""
    app = sim.world.app
    return {"slack_bot_token": app.bot_token, "slack_app_token": app.app_token, "slack_api_url": sim.api_url}
