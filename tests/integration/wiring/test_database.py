from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from athenaeum.config import Config
from athenaeum.wiring.database import open_database
from support.embedded import until
from support.relay import Relay


async def test_a_database_that_goes_away_before_it_is_migrated_is_waited_for(database_url: str, tmp_path: Path) -> None:
    async with Relay(database_url, fatal="alembic_version") as falling, asyncio.TaskGroup() as group:
        opened = asyncio.Event()

        async def start() -> None:
            config = Config(database_url=falling.url, home=tmp_path)
            async with open_database(config, patient=True) as database:
                assert await database.health_check()
                opened.set()

        group.create_task(start())
        assert falling._server is not None
        await until(lambda server=falling._server: not server.is_serving())
        async with Relay(database_url, port=urlsplit(falling.url).port or 0), asyncio.timeout(20):
            await opened.wait()
