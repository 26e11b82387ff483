"""One process of the product, behind proxies of its own through which it reaches everything."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from support.boundaries import Boundaries, DatabaseBoundary, HttpBoundary
from support.zygote import Forked, Role, Zygote


@dataclass(frozen=True, slots=True)
class Fate:
    """The signal that a process gets at one point; without a point it lives as long as it likes.

    Attributes:
        within: Whether statements inside of transactions are points as well.
    """

    point: str | None = None
    signal: signal.Signals = signal.SIGKILL
    within: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """A process, what it passed, and how many steps of the turn were on record when it began."""

    process: Forked
    fate: Fate
    boundaries: Boundaries
    known: Counter[str]

    def account(self) -> str:
        """What it passed, and the end of what it said."""
        said = self.process.log.read_text(errors="replace") if self.process.log.exists() else ""
        return f"{self.process.log.name}: {', '.join(self.boundaries.passed)}\n{said[-6000:]}"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a process is told: addresses without the proxies, and the rest of its environment."""

    database: str
    slack: str
    model: str
    environment: Mapping[str, str]
    zygote: Zygote
    log: Path


@asynccontextmanager
async def live(role: Role, around: Surroundings, fate: Fate, *, known: Counter[str]) -> AsyncGenerator[Life]:
    """A process that meets its fate, and is killed at the end of the block at the latest."""
    boundaries = Boundaries(fate.point)
    async with AsyncExitStack() as stack:
        slack = await stack.enter_async_context(HttpBoundary(around.slack, boundaries, name=_slack_call))
        model = await stack.enter_async_context(HttpBoundary(around.model, boundaries, name=lambda _: "model"))
        database = await stack.enter_async_context(
            DatabaseBoundary(around.database, boundaries, name=_named, within=fate.within)
        )
        addresses = {
            "DATABASE_URL": database.url,
            "SLACK_API_URL": f"{slack.url}/api/",
            "ANTHROPIC_BASE_URL": model.url,
        }
        process = around.zygote.fork(role, {**addresses, **around.environment}, log=around.log)
        boundaries.stop = lambda: process.send(fate.signal)
        try:
            yield Life(process, fate, boundaries, known)
        finally:
            process.kill()
            await process.ended()


def _slack_call(path: str) -> str:
    return f"slack {path.rsplit('/', 1)[-1]}"


# The first that matches names the statement. Only what is before WHERE tells writes of the same table apart.
_NAMES = (
    (re.compile(r"events_claim(_one)?\("), "claim"),
    (re.compile(r"UPDATE turns SET .*\bfence="), "turn taken"),
    (re.compile(r"UPDATE turns SET .*\banswer="), "answer saved"),
    (re.compile(r"UPDATE turns SET .*\bfinished_at="), "turn ended"),
    (re.compile(r"INSERT INTO spending"), "money reserved"),
    (re.compile(r"INSERT INTO steps"), "step"),
    (re.compile(r"INSERT INTO notes"), "note"),
    (re.compile(r"INSERT INTO approvals"), "parked"),
    (re.compile(r"^(SELECT|WITH) .*\bFROM postings\b"), "tool"),
    (re.compile(r"INSERT INTO deliveries"), "intent"),
    (re.compile(r"UPDATE deliveries SET .*\bposter="), "right to post"),
    (re.compile(r"UPDATE deliveries SET .*\bposted_at="), "ts recorded"),
    (re.compile(r"UPDATE deliveries SET"), "delivery changed"),
    (re.compile(r"INSERT INTO slack_messages"), "message archived"),
    (re.compile(r"INSERT INTO turns"), "turn opened"),
    (re.compile(r"events_complete\("), "event completed"),
    (re.compile(r"events_retry\("), "event retried"),
    (re.compile(r"events_fail\("), "event failed"),
)


def _named(statement: str) -> str | None:
    changed = statement.partition(" WHERE ")[0] if statement.startswith("UPDATE") else statement
    return next((label for pattern, label in _NAMES if pattern.search(changed)), None)
