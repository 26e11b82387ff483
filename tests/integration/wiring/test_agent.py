"""The agent at the start of a process."""

from __future__ import annotations

from pathlib import Path

from athenaeum.config import Config
from athenaeum.database.connection import DatabaseConnection
from athenaeum.wiring.agent import open_agent
from athenaeum.wiring.library import open_index

NOBODY_THERE = "postgresql://athenaeum@127.0.0.1:1/athenaeum"


async def test_a_database_that_goes_away_during_a_start_does_not_end_it(tmp_path: Path) -> None:
    config = Config(home=tmp_path, model="offline", embedder="none")
    async with (
        DatabaseConnection(NOBODY_THERE) as database,
        open_agent(config, database, open_index(config, database), {}) as runner,
    ):
        assert runner is not None
