"""Ordering keys: one event of each waits, may run or runs, and those behind it are blocked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from support.simulation.event_rows import QUEUED, event, events, lock_name, now, save
from support.simulation.store import Lock, Row, Statement, Transaction

_HEADS = frozenset({"waiting", "ready", "running"})


def place(tx: Transaction, row: Row) -> Statement:
    """Insert a row at the head of its key, or blocked behind the head."""
    key = row["ordering_key"]
    while True:
        if key is None or (yield from _becomes_head(tx, row["tenant_id"], key)):
            tx.try_lock(lock_name(row["event_id"]), Lock.UPDATE)
            save(tx, row, state="waiting" if row["ready_at"] > now(tx) else "ready")
            return
        yield
        if not (yield from hold_head(tx, row["tenant_id"], key)):
            continue
        yield
        tx.try_lock(lock_name(row["event_id"]), Lock.UPDATE)
        save(tx, row, state="blocked")
        return


def hold_head(tx: Transaction, tenant: Any, key: str) -> Statement:
    """SELECT ... FOR KEY SHARE of a key's head; whether there is one."""
    head = next((head for head in events(tx) if _is_head(head, tenant, key)), None)
    if head is None:
        return False
    yield from tx.lock(lock_name(head["event_id"]), Lock.KEY_SHARE)
    head = event(tx, head["event_id"])
    return head is not None and _is_head(head, tenant, key)


def _is_head(row: Row, tenant: Any, key: str) -> bool:
    return row["tenant_id"] == tenant and row["ordering_key"] == key and row["state"] in _HEADS


def _becomes_head(tx: Transaction, tenant: Any, key: str) -> Statement:
    """The unique index of heads: an INSERT waits for whoever is making, changing or removing one just now."""
    index = ("queued_events_head", tenant, key)
    while True:
        standing = [row["event_id"] for row in tx.store.tables[QUEUED].rows.values() if _is_head(row, tenant, key)]
        busy = next((writer for event_id in standing if (writer := _writer(tx, event_id))), None)
        if busy is not None:
            yield busy
        elif any(_is_head(row, tenant, key) for row in events(tx)):
            return False
        elif (maker := tx.try_lock(index, Lock.UPDATE)) is not None:
            yield maker
        else:
            return True


def _writer(tx: Transaction, event_id: int) -> Transaction | None:
    for holder in tx.store.locks.get(lock_name(event_id), ()):
        if holder is not tx and holder.wrote(QUEUED, (event_id,)):
            return holder
    return None


def promote(tx: Transaction, freed: Sequence[tuple[Any, str]]) -> Statement:
    first: datetime | None = None
    nexts = [
        min((row for row in events(tx) if _is_blocked(row, tenant, key)), key=lambda row: row["event_id"], default=None)
        for tenant, key in freed
    ]
    for row in nexts:
        if row is None:
            continue
        yield from tx.lock(lock_name(row["event_id"]), Lock.NO_KEY_UPDATE)
        newest = event(tx, row["event_id"])
        if newest is not None:
            save(tx, newest, state="waiting" if newest["ready_at"] > now(tx) else "ready")
            first = newest["ready_at"] if first is None else min(first, newest["ready_at"])
    return first


def _is_blocked(row: Row, tenant: Any, key: str) -> bool:
    return row["tenant_id"] == tenant and row["ordering_key"] == key and row["state"] == "blocked"
