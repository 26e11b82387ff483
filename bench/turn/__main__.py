"""Our own time per turn, without a model: from a person's message to the placeholder and to the answer.

    python bench/turn [--turns 100] [--burst 100] [--json FILE]

Slacksim, Socket Mode, gateway, PostgreSQL, worker pool, agent and delivery in one process. The offline model answers,
so that what is measured is ours. The floor is the bare round trip: one post and one update of the same text by
the same client, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from slack_sdk.web.async_client import AsyncWebClient

from athenaeum.config import Config
from athenaeum.observability.logging import configure_logging
from athenaeum.wiring.process import Role, open_process
from slacksim import scenario
from slacksim.changes import Change, Edited, Posted
from slacksim.people import Person
from slacksim.server import SlackSim

FLOOR_SECONDS = 2.0  # A5: turn without the model, p95
SEEN_SECONDS = 1.0  # C7: the placeholder
COMPANY = {
    "users": [{"name": "maya"}],
    "channels": [
        {"name": "general", "messages": [{"user": "maya", "text": "The freeze begins on Monday.", "ago": 60}]}
    ],
}


@dataclass(slots=True)
class Watch:
    """When the bot first posted in each thread, and when its text last changed."""

    bot: str
    posted: dict[str, float] = field(default_factory=dict[str, float])
    answered: dict[str, asyncio.Future[float]] = field(default_factory=dict[str, "asyncio.Future[float]"])

    def __call__(self, change: Change) -> None:
        if not isinstance(change, Posted | Edited) or change.message.user != self.bot:
            return
        thread = change.message.thread_ts or change.message.ts
        self.posted.setdefault(thread, time.perf_counter())
        done = self.answered.get(thread)
        if done is not None and not done.done() and "without a language model" in change.message.text:
            done.set_result(time.perf_counter())


@dataclass(frozen=True, slots=True)
class Measure:
    """A line of the table, in milliseconds; `floor` is what the requirements ask of p95."""

    name: str
    p50: float
    p95: float
    p99: float
    floor: float | None


def measure(name: str, seconds: list[float], floor: float | None = None) -> Measure:
    cuts = statistics.quantiles([1000 * each for each in seconds], n=100, method="inclusive")
    return Measure(name, cuts[49], cuts[94], cuts[98], None if floor is None else 1000 * floor)


class Bench:
    """A person who asks, in a workspace where we answer."""

    def __init__(self, sim: SlackSim) -> None:
        self._watch = Watch(sim.world.app.user_id)
        sim.world.listen(self._watch)
        self._person = Person.named(sim.world, "maya")
        self._channel = next(iter(sim.world.channels))
        self._bot = sim.world.app.user_id

    async def ask(self) -> tuple[float, float]:
        """Seconds from the message to the placeholder, and to the answer."""
        begun = time.perf_counter()
        message = self._person.say(self._channel, f"<@{self._bot}> When does the freeze begin?")
        done = self._watch.answered.setdefault(message.ts, asyncio.get_running_loop().create_future())
        async with asyncio.timeout(120):
            end = await done
        return self._watch.posted[message.ts] - begun, end - begun


async def bare(sim: SlackSim, turns: int) -> list[float]:
    """Seconds for a post and an update by slack-sdk alone."""
    client = AsyncWebClient(sim.world.app.bot_token, base_url=sim.api_url)
    channel = next(iter(sim.world.channels))
    seconds: list[float] = []
    for _ in range(turns):
        begun = time.perf_counter()
        ts = (await client.chat_postMessage(channel=channel, text="Thinking…"))["ts"]
        await client.chat_update(channel=channel, ts=str(ts), text="The freeze begins on Monday.")
        seconds.append(time.perf_counter() - begun)
    return seconds


async def run(turns: int, burst: int) -> list[Measure]:
    async with AsyncExitStack() as stack:
        home = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="athenaeum-bench-", ignore_cleanup_errors=True))
        )
        home.chmod(0o711)  # noqa: ASYNC240 - root's PostgreSQL runs as another user, who must come through
        sim = await stack.enter_async_context(SlackSim(scenario.build(COMPANY)))
        app = sim.world.app
        config = Config(
            home=home,
            port=0,
            model="offline",
            embedder="none",
            rate_limit=0,
            slack_api_url=sim.api_url,
            slack_bot_token=app.bot_token,
            slack_app_token=app.app_token,
        )
        running = await stack.enter_async_context(open_process(config, list(Role)))
        await running.workspace.synced.wait()
        bench = Bench(sim)
        for _ in range(5):  # the first ones import, prepare and fill caches
            await bench.ask()
        alone = [await bench.ask() for _ in range(turns)]
        async with asyncio.TaskGroup() as group:
            begun = time.perf_counter()
            together = [group.create_task(bench.ask()) for _ in range(burst)]
        elapsed = time.perf_counter() - begun
        floor = await bare(sim, turns)
    return [
        measure("bare post + update (slack-sdk alone)", floor),
        measure("message to placeholder", [seen for seen, _ in alone], SEEN_SECONDS),
        measure("message to answer: a turn without the model", [done for _, done in alone], FLOOR_SECONDS),
        measure(f"{burst} at once: message to placeholder", [task.result()[0] for task in together]),
        measure(
            f"{burst} at once: message to answer ({burst / elapsed:.0f} turns/s)", [t.result()[1] for t in together]
        ),
    ]


def show(rows: list[Measure]) -> None:
    table = Table("milliseconds", "p50", "p95", "p99", "floor (p95)", "times bare p50")
    for row in rows:
        floor = "" if row.floor is None else f"{row.floor:.0f} {'met' if row.p95 <= row.floor else 'MISSED'}"
        figures = [f"{each:.1f}" for each in (row.p50, row.p95, row.p99)]
        table.add_row(row.name, *figures, floor, f"{row.p50 / rows[0].p50:.1f}")
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description="Our own time per turn, without a model.")
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--burst", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    configure_logging(level="ERROR")
    rows = asyncio.run(run(arguments.turns, arguments.burst))
    show(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
