"""The queue's functions as the newest migration defines them, statement by statement.

Each function here has the name and the arguments of its original (`0006_queue_strength.sql`) and is held to it by
`tests/simulation/test_contract.py`. A bare `yield` stands between two statements of a function: others may come in
between there, as they may in PostgreSQL, and the next statement sees what they committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from support.simulation import ordering
from support.simulation.event_rows import (
    CHANNEL,
    FAILED,
    FINISHED,
    KEYS,
    QUEUED,
    announce,
    event,
    events,
    held,
    lock_name,
    now,
    save,
)
from support.simulation.store import Lock, Row, Statement, Transaction

_NOTHING = timedelta(0)


def enqueue(
    tx: Transaction,
    tenant: Any,
    kind: str,
    payload: Any,
    dedupe_key: str | None,
    ordering_key: str | None,
    fair_key: str | None,
    priority: int,
    delay: timedelta,
) -> Statement:
    asked_at = now(tx)
    if dedupe_key is not None:
        known = (tenant, dedupe_key)
        yield from tx.lock((KEYS, known), Lock.UPDATE)
        if tx.get(KEYS, known) is not None:
            return None
        tx.put(KEYS, known, {"tenant_id": tenant, "dedupe_key": dedupe_key, "remembered_from": asked_at + delay})
        yield
    event_id = tx.store.next("event_ids")
    row: Row = {
        "event_id": event_id,
        "tenant_id": tenant,
        "kind": kind,
        "payload": payload,
        "dedupe_key": dedupe_key,
        "ordering_key": ordering_key,
        "fair_key": fair_key,
        "priority": priority,
        "attempt": 0,
        "ready_at": asked_at + delay,
        "created_at": asked_at,
        "lease_token": 0,
        "lease_until": None,
        "claimed_by": None,
        "error": None,
    }
    yield from ordering.place(tx, row)
    return event_id


def _take(tx: Transaction, row: Row, worker: str, lease: timedelta) -> Row:
    taken = {
        **row,
        "state": "running",
        "attempt": row["attempt"] + 1,
        "lease_token": tx.store.next("lease_tokens"),
        "lease_until": now(tx) + lease,
        "claimed_by": worker,
    }
    tx.put(QUEUED, (row["event_id"],), taken)
    return taken


def claim(
    tx: Transaction,
    worker: str,
    limit: int,
    lease: timedelta,
    kinds: Sequence[str] | None,
    tenants: Sequence[Any] | None = None,
    *_served: Any,
) -> Statement:
    """By priority and age. How shares are made fair is not modelled: which of several due events comes first."""
    for row in events(tx):
        due = row["state"] == "waiting" and row["ready_at"] <= now(tx)
        if due and tx.try_lock(lock_name(row["event_id"]), Lock.NO_KEY_UPDATE) is None:
            save(tx, row, state="ready")
    yield
    ready = [
        row
        for row in events(tx)
        if row["state"] == "ready"
        and (kinds is None or row["kind"] in kinds)
        and (tenants is None or row["tenant_id"] in tenants)
    ]
    claimed: list[Row] = []
    for row in sorted(ready, key=lambda row: (-row["priority"], row["event_id"])):
        if len(claimed) < limit and tx.try_lock(lock_name(row["event_id"]), Lock.NO_KEY_UPDATE) is None:
            claimed.append(_take(tx, row, worker, lease))
    return claimed


def claim_one(tx: Transaction, worker: str, event_id: int, lease: timedelta) -> Statement:
    row = event(tx, event_id)
    if row is None or row["state"] not in {"waiting", "ready"} or row["ready_at"] > now(tx):
        return []
    if tx.try_lock(lock_name(event_id), Lock.NO_KEY_UPDATE) is not None:
        return []
    return [_take(tx, row, worker, lease)]
    yield


def complete(tx: Transaction, ids: Sequence[int], tokens: Sequence[int]) -> Statement:
    done: list[Row] = []
    for event_id, token in zip(ids, tokens, strict=True):
        row = event(tx, event_id)
        if row is not None and held(row, token) and tx.try_lock(lock_name(event_id), Lock.UPDATE) is None:
            done.append(row)
    yield
    for row in done:
        tx.put(QUEUED, (row["event_id"],), None)
        tx.put(FINISHED, (row["event_id"],), {**_history(row, "fair_key"), "finished_at": now(tx)})
    freed = [(row["tenant_id"], row["ordering_key"]) for row in done if row["ordering_key"] is not None]
    next_at: datetime | None = None
    if freed:
        yield
        next_at = yield from ordering.promote(tx, freed)
    return [{"done": [row["event_id"] for row in done], "next_at": next_at}]


def complete_one(tx: Transaction, event_id: int, token: int) -> Statement:
    if not (yield from _lock_held(tx, event_id, token)):
        finished = tx.get(FINISHED, (event_id,))
        return finished is not None and finished["lease_token"] == token
    yield
    [result] = yield from complete(tx, [event_id], [token])
    if result["next_at"] is not None:
        announce(tx, result["next_at"])
    return result["done"] == [event_id]


def _history(row: Row, *without: str) -> Row:
    gone = {"state", "ready_at", "lease_until", *without}
    return {name: value for name, value in row.items() if name not in gone}


def _lock_held(tx: Transaction, event_id: int, token: int) -> Statement:
    if not held(event(tx, event_id), token):
        return False
    yield from tx.lock(lock_name(event_id), Lock.UPDATE)
    return held(event(tx, event_id), token)


def retry(tx: Transaction, event_id: int, token: int, error: str, after: timedelta) -> Statement:
    ready_at = now(tx) + after
    if not held(event(tx, event_id), token):
        return False
    yield from tx.lock(lock_name(event_id), Lock.NO_KEY_UPDATE)
    row = event(tx, event_id)
    if row is None or not held(row, token):
        return False
    state = "waiting" if after > _NOTHING else "ready"
    save(tx, row, state=state, ready_at=ready_at, lease_until=None, error=error)
    announce(tx, ready_at)
    return True


def bury(tx: Transaction, event_id: int, error: str) -> Statement:
    dead = event(tx, event_id)
    assert dead is not None
    tx.put(QUEUED, (event_id,), None)
    tx.put(FAILED, (event_id,), {**_history(dead), "error": error, "failed_at": now(tx)})
    if dead["ordering_key"] is not None and dead["state"] != "blocked":
        yield
        next_at = yield from ordering.promote(tx, [(dead["tenant_id"], dead["ordering_key"])])
        if next_at is not None:
            announce(tx, next_at)


def fail(tx: Transaction, event_id: int, token: int, error: str) -> Statement:
    if not (yield from _lock_held(tx, event_id, token)):
        return False
    yield
    yield from bury(tx, event_id, error)
    return True


def cancel(tx: Transaction, event_id: int) -> Statement:
    while True:
        row = event(tx, event_id)
        if row is None:
            return False
        yield
        if row["state"] == "blocked":
            yield from ordering.hold_head(tx, row["tenant_id"], row["ordering_key"])
            yield
        if (yield from _lock_in_state(tx, event_id, row["state"])):
            break
    yield
    yield from bury(tx, event_id, "cancelled")
    if row["state"] == "running":
        tx.notices.append((CHANNEL, f"cancel {event_id}"))
    return True


def _lock_in_state(tx: Transaction, event_id: int, state: str) -> Statement:
    row = event(tx, event_id)
    if row is None or row["state"] != state:
        return False
    yield from tx.lock(lock_name(event_id), Lock.UPDATE)
    row = event(tx, event_id)
    return row is not None and row["state"] == state


def release(tx: Transaction, ids: Sequence[int], tokens: Sequence[int]) -> Statement:
    released: list[int] = []
    for event_id, token in zip(ids, tokens, strict=True):
        if not held(event(tx, event_id), token):
            continue
        yield from tx.lock(lock_name(event_id), Lock.NO_KEY_UPDATE)
        row = event(tx, event_id)
        if row is not None and held(row, token):
            ready_at = min(row["ready_at"], now(tx))
            save(
                tx,
                row,
                state="ready",
                ready_at=ready_at,
                attempt=row["attempt"] - 1,
                lease_until=None,
                claimed_by=None,
            )
            released.append(event_id)
    if released:
        announce(tx, now(tx))
    return released


def release_unknown(tx: Transaction, worker: str, known: Sequence[int]) -> Statement:
    unknown = [
        row
        for row in events(tx)
        if row["state"] == "running" and row["claimed_by"] == worker and row["event_id"] not in known
    ]
    return (yield from release(tx, [row["event_id"] for row in unknown], [row["lease_token"] for row in unknown]))


def extend(tx: Transaction, ids: Sequence[int], tokens: Sequence[int], lease: timedelta) -> Statement:
    extended: list[int] = []
    for event_id, token in zip(ids, tokens, strict=True):
        if not held(event(tx, event_id), token):
            continue
        yield from tx.lock(lock_name(event_id), Lock.NO_KEY_UPDATE)
        row = event(tx, event_id)
        if row is not None and held(row, token):
            save(tx, row, lease_until=now(tx) + lease)
            extended.append(event_id)
    return extended


def rescue(tx: Transaction, attempts: int) -> Statement:
    began = now(tx)
    rows: list[Row] = []
    expired = [
        row
        for row in events(tx)
        if row["state"] == "running"
        and row["lease_until"] < began
        and tx.try_lock(lock_name(row["event_id"]), Lock.UPDATE) is None
    ]
    for row in expired:
        yield
        rows.append(
            {
                "event_id": row["event_id"],
                "tenant_id": row["tenant_id"],
                "kind": row["kind"],
                "failed": row["attempt"] >= attempts,
            }
        )
        if row["attempt"] < attempts:
            error = f"the lease of worker {row['claimed_by']} ran out"
            yield from retry(tx, row["event_id"], row["lease_token"], error, _NOTHING)
        else:
            error = f"the lease ran out {row['attempt']} times, last with worker {row['claimed_by']}"
            yield from fail(tx, row["event_id"], row["lease_token"], error)
    return rows


def revive(tx: Transaction, event_id: int) -> Statement:
    dead = tx.get(FAILED, (event_id,))
    if dead is None:
        return False
    yield from tx.lock((FAILED, (event_id,)), Lock.UPDATE)
    if tx.get(FAILED, (event_id,)) is None:
        return False
    tx.put(FAILED, (event_id,), None)
    yield
    row = {name: value for name, value in dead.items() if name != "failed_at"}
    row |= {
        "ready_at": now(tx),
        "attempt": 0,
        "lease_token": 0,
        "lease_until": None,
        "claimed_by": None,
        "error": None,
    }
    yield from ordering.place(tx, row)
    announce(tx, now(tx))
    return True


def tick(_tx: Transaction) -> Statement:
    """There are no schedules."""
    return 0
    yield


PROCEDURES: dict[str, Callable[..., Statement]] = {
    "events_enqueue": enqueue,
    "events_claim": claim,
    "events_claim_one": claim_one,
    "events_complete": complete,
    "events_complete_one": complete_one,
    "events_retry": retry,
    "events_fail": fail,
    "events_cancel": cancel,
    "events_release": release,
    "events_release_unknown": release_unknown,
    "events_extend": extend,
    "events_rescue": rescue,
    "events_revive": revive,
    "events_tick": tick,
}
