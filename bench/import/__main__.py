"""How fast history comes in, and how fast it is read then.

    python -m bench.import [--messages 10000 100000] [--search] [--json FILE]

Makes an export of so many messages (ten channels, a day file for each 500, every tenth a reply, rich-text blocks and
reactions as Slack writes them), imports it into an embedded PostgreSQL from the zip, and the first of the sizes from a
simulated Slack's API too. Then asks for a thousand threads; with --search, indexes what was imported and searches it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import statistics
import tempfile
import time
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import psycopg

from athenaeum.conversations.archive import history
from athenaeum.conversations.archive.indexing import MessageIndexer
from athenaeum.conversations.export import import_export
from athenaeum.conversations.sync.backfill import backfill
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs
from athenaeum.observability.logging import configure_logging
from athenaeum.retrieval.index import Index
from athenaeum.slack.client import SlackClient
from athenaeum.tenants import register
from slacksim import scenario
from slacksim.model import Message
from slacksim.server import SlackSim

CHANNELS = 10
A_DAY = 500
SYLLABLES = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("an", "el", "ip", "or", "um", "es", "on")]
WORDS = [f"{one}{two}{three}" for one in SYLLABLES[:4] for two in SYLLABLES for three in SYLLABLES][:20_000]
# as often as words are in a language (Zipf and Mandelbrot), those left out that every sentence has: the first of these
# is in a third of all messages, one in two of those asked for in less than a hundredth
OFTEN = list(accumulate(1 / (rank + 10) for rank in range(len(WORDS))))
TERMINAL = Audience(DEFAULT_TENANT, None, Place(ChannelId("terminal"), "terminal", ChannelKind.DIRECT))
FLOORS = {"messages_a_second": 100, "thread_p95_ms": 50, "search_p95_ms": 50}


def say(dice: random.Random, count: int) -> str:
    return " ".join(dice.choices(WORDS, cum_weights=OFTEN, k=count))


def record(number: int, dice: random.Random) -> dict[str, Any]:
    words = say(dice, 30)
    told: dict[str, Any] = {
        "client_msg_id": f"00000000-0000-4000-8000-{number:012}",
        "type": "message",
        "user": f"U{number % 50:08}",
        "ts": f"{1_700_000_000 + number}.000100",
        "text": words,
        "team": "T0001",
        "user_profile": {"real_name": "Maya Chen", "display_name": "maya", "image_72": "https://a.example/72.png"},
        "blocks": [{"type": "rich_text", "elements": [{"type": "text", "text": words}]}],
    }
    if number % 10:
        return told | ({"reactions": [{"name": "eyes", "users": ["U1", "U2"], "count": 2}]} if number % 5 == 0 else {})
    return told | {"thread_ts": f"{1_700_000_000 + number - number % 100}.000100"}


def write_export(path: Path, messages: int) -> None:
    dice, day = random.Random(1), datetime(2000, 1, 1, tzinfo=UTC)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as export:
        people = [{"id": f"U{number:08}", "name": f"user{number}", "team_id": "T0001"} for number in range(50)]
        export.writestr("users.json", json.dumps(people))
        listed = [{"id": f"C{number:04}", "name": f"channel-{number}", "members": []} for number in range(CHANNELS)]
        export.writestr("channels.json", json.dumps(listed))
        for start in range(0, messages, A_DAY):
            file = f"channel-{start // A_DAY % CHANNELS}/{day + timedelta(days=start // A_DAY):%Y-%m-%d}.json"
            said = [record(number, dice) for number in range(start, min(start + A_DAY, messages))]
            export.writestr(file, json.dumps(said))


async def from_zip(database: DatabaseConnection, path: Path) -> dict[str, Any]:
    tenant = await register.get(database, DEFAULT_TENANT)
    busy = time.process_time()
    report = await import_export(database, tenant, path)
    spent = time.process_time() - busy
    again = await import_export(database, tenant, path)
    return {
        "messages": report.messages,
        "messages_a_second": round(report.rate),
        "own_cpu_us_a_message": round(spent / report.messages * 1e6),
        "second_import_s": round(again.seconds, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def from_api(database: DatabaseConnection, messages: int) -> dict[str, Any]:
    world = scenario.build(
        {
            "team": {"name": "Bench", "domain": "bench"},
            "app": {"name": "athenaeum"},
            "users": [{"name": "maya"}],
            "channels": [{"name": "general", "members": ["maya", "athenaeum"]}],
        }
    )
    channel, maya, dice = world.find_channel("general"), world.find_user("maya"), random.Random(2)
    assert channel is not None
    assert maya is not None
    for number in range(messages):
        told = record(number, dice)
        world.post(Message(told["ts"], channel.id, maya.id, told["text"]))
    async with SlackSim(world) as sim, SlackClient(world.app.bot_token, base_url=sim.api_url) as client:
        tenant = await register.bind(database, await client.auth_test())
        started = time.perf_counter()
        report = await backfill(database, client, tenant.id)
        return {"messages": report.messages, "messages_a_second": round(report.messages / _since(started))}


def _since(started: float) -> float:
    return time.perf_counter() - started


async def threads(database: DatabaseConnection, messages: int) -> dict[str, float]:
    dice, seconds = random.Random(3), list[float]()
    for turn in range(1050):
        number = dice.randrange(messages // 100) * 100
        channel = ChannelId(f"C{number // A_DAY % CHANNELS:04}")
        started = time.perf_counter()
        async with database.session(DEFAULT_TENANT) as session:
            await history.thread(session, channel, MessageTs(f"{1_700_000_000 + number}.000100"))
        if turn >= 50:  # the first ones warm up
            seconds.append(_since(started))
    return percentiles("thread", seconds)


async def searches(database: DatabaseConnection) -> dict[str, float]:
    index, dice, seconds = Index(database, None), random.Random(4), list[float]()
    busy, started = time.process_time(), time.perf_counter()
    looked_at = await MessageIndexer(database, index).run_once()
    indexing = {
        "indexed_a_second": round(looked_at / _since(started)),
        "index_cpu_us_a_message": round((time.process_time() - busy) / looked_at * 1e6),
    }
    await analyze(database)
    for turn in range(220):
        started = time.perf_counter()
        await index.search(say(dice, 3), audience=TERMINAL)
        if turn >= 20:
            seconds.append(_since(started))
    return indexing | percentiles("search", seconds)


def percentiles(name: str, seconds: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return {f"{name}_p{cut}_ms": round(cuts[cut - 1] * 1000, 1) for cut in (50, 95, 99)}


async def analyze(database: DatabaseConnection) -> None:
    """What autovacuum does within a minute."""
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")


async def measure(home: Path, messages: int, *, api: bool, search: bool) -> list[dict[str, Any]]:
    write_export(home / "export.zip", messages)
    async with EmbeddedPostgres(home) as server, DatabaseConnection(server.url) as database:
        await database.create_tables()
        row = {"from": "zip", **await from_zip(database, home / "export.zip")}
        await analyze(database)
        rows = [row | await threads(database, messages) | (await searches(database) if search else {})]
        if api:
            rows.append({"from": "API", **await from_api(database, messages)})
    return rows


def show(row: dict[str, Any]) -> None:
    told = "  ".join(f"{name}={value}" for name, value in row.items())
    failed = [
        name
        for name, floor in FLOORS.items()
        if name in row and (row[name] < floor if name == "messages_a_second" else row[name] > floor)
    ]
    print(told + (f"  BELOW THE FLOOR: {', '.join(failed)}" if failed else ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--search", action="store_true", help="also index and search; some 0.4 ms a message")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    configure_logging(level="ERROR")
    rows: list[dict[str, Any]] = []
    for messages in given.messages:
        with tempfile.TemporaryDirectory(prefix="athenaeum-bench-") as folder:
            home = Path(folder)
            home.chmod(0o711)  # root's PostgreSQL runs as another user, who must come through
            first = messages == given.messages[0]
            found = asyncio.run(measure(home, messages, api=first, search=given.search))
        rows += found
        for row in found:
            show(row)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
