"""The queue's rows, as its functions read and write them."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from support.simulation.store import Key, Row, Table, Transaction

QUEUED, KEYS, FAILED, FINISHED = "queued_events", "event_keys", "failed_events", "finished_events"
TABLES = (
    (QUEUED, ("event_id",)),
    (KEYS, ("tenant_id", "dedupe_key")),
    (FAILED, ("event_id",)),
    (FINISHED, ("event_id",)),
)
CHANNEL = "athenaeum_events"
_NOTHING = timedelta(0)


def tables() -> list[Table]:
    """The queue's tables, empty."""
    return [Table(name, key, {}) for name, key in TABLES]


def now(tx: Transaction) -> datetime:
    return tx.store.clock()


def events(tx: Transaction) -> list[Row]:
    return [row for _, row in tx.rows(QUEUED)]


def event(tx: Transaction, event_id: int) -> Row | None:
    return tx.get(QUEUED, (event_id,))


def lock_name(event_id: int) -> tuple[str, Key]:
    return (QUEUED, (event_id,))


def save(tx: Transaction, row: Row, **changes: Any) -> None:
    tx.put(QUEUED, (row["event_id"],), {**row, **changes})


def held(row: Row | None, token: int) -> bool:
    return row is not None and row["lease_token"] == token and row["state"] == "running"


def announce(tx: Transaction, ready_at: datetime) -> None:
    after = max(_NOTHING, ready_at - now(tx))
    tx.notices.append((CHANNEL, str(ceil(after / timedelta(milliseconds=1)))))
