"""One look at everything."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from athenaeum.diagnostics import broker, clock, database, disk, embedder, installations, mcp, model, settings, slack
from athenaeum.diagnostics.clock import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from athenaeum.config import Config
    from athenaeum.diagnostics.finding import Finding


async def examine(config: Config, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> list[Finding]:
    """Look at every subject; `config` need not be valid, and `now` is this machine's clock.

    Takes as long as the slowest of database, broker, Slack, model, embedder and MCP servers; each has its own patience.
    """
    readings: list[Reading] = []

    def compare(name: str, theirs: datetime) -> None:
        readings.append(Reading(name, theirs - now()))

    async with asyncio.TaskGroup() as group:
        stored = group.create_task(database.look(config, compare))
        wired = group.create_task(slack.look(config, compare))
        brought = group.create_task(broker.look(config))
        asked = group.create_task(model.look(config))
        embedded = group.create_task(embedder.look(config))
        served = group.create_task(mcp.look(config))
    return [
        *settings.look(config),
        disk.look(config.home_dir),
        *stored.result(),
        *brought.result(),
        *wired.result(),
        *await installations.look(config),
        clock.judge(readings),
        *asked.result(),
        embedded.result(),
        *served.result(),
    ]
