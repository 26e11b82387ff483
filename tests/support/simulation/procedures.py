"""The queue's functions as the newest migration defines them, statement by statement.

Each function here has the name and the arguments of its original (`0006_queue_strength.sql`) and is held to it by
`tests/simulation/test_contract.py`. A bare `yield` stands between two statements of a function: others may come in
between there, as they may in PostgreSQL, and the next statement sees what they committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from support.simulation.store import Key, Lock, Row, Statement, Table, Transaction

QUEUED, KEYS, FAILED, FINISHED, LIMITS = (
    "queued_events",
    "event_keys",
    "failed_events",
    "finished_events",
    "event_limits",
)
TABLES = (
    (QUEUED, ("event_id",)),
    (KEYS, ("tenant_id", "dedupe_key")),
    (FAILED, ("event_id",)),
    (FINISHED, ("event_id",)),
    (LIMITS, ("tenant_id", "kind")),
)
CHANNEL = "athenaeum_events"
_HEADS = frozenset({"waiting", "ready", "running"})
_NOTHING = timedelta(0)
_Id = int


def tables() -> list[Table]:
    """The queue's tables, empty."""
    return [Table(name, key, {}) for name, key in TABLES]


def _now(tx: Transaction) -> datetime:
    return tx.store.clock()


def _events(tx: Transaction) -> list[Row]:
    return [row for _, row in tx.rows(QUEUED)]


def _event(tx: Transaction, event_id: _Id) -> Row | None:
    return tx.get(QUEUED, (event_id,))


def _name(event_id: _Id) -> tuple[str, Key]:
    return (QUEUED, (event_id,))


def _save(tx: Transaction, row: Row, **changes: Any) -> None:
    tx.put(QUEUED, (row["event_id"],), {**row, **changes})


def _held(row: Row | None, token: int) -> bool:
    return row is not None and row["lease_token"] == token and row["state"] == "running"


def announce(tx: Transaction, ready_at: datetime) -> None:
    after = max(_NOTHING, ready_at - _now(tx))
    tx.notices.append((CHANNEL, str(ceil(after / timedelta(milliseconds=1)))))


def tag(tx: Transaction, tenant: Any, kind: str, priority: int, fair_key: str) -> int:
    places = [0]
    served: list[tuple[int, int]] = []
    for row in _events(tx):
        if (row["state"], row["priority"], row["tenant_id"], row["kind"]) == ("ready", priority, tenant, kind):
            served.append((row["tag"], row["event_id"]))
        if (row["tenant_id"], row["fair_key"]) == (tenant, fair_key):
            places.append(row["tag"] + 1)
    if served:
        places.append(min(served)[0])
    return max(places)


def place(tx: Transaction, row: Row) -> Statement:
    """Insert a row at the head of its key, or blocked behind the head."""
    fair_key, key = row["fair_key"], row["ordering_key"]
    behind = 0 if fair_key is None else tag(tx, row["tenant_id"], row["kind"], row["priority"], fair_key)
    row = {**row, "tag": behind}
    while True:
        if key is None or (yield from _becomes_head(tx, row["tenant_id"], key)):
            tx.try_lock(_name(row["event_id"]), Lock.UPDATE)
            _save(tx, row, state="waiting" if row["ready_at"] > _now(tx) else "ready")
            return
        yield
        if not (yield from _hold_head(tx, row["tenant_id"], key)):
            continue
        yield
        tx.try_lock(_name(row["event_id"]), Lock.UPDATE)
        _save(tx, row, state="blocked")
        return


def _hold_head(tx: Transaction, tenant: Any, key: str) -> Statement:
    """SELECT ... FOR KEY SHARE of a key's head; whether there is one."""
    head = next((head for head in _events(tx) if _is_head(head, tenant, key)), None)
    if head is None:
        return False
    yield from tx.lock(_name(head["event_id"]), Lock.KEY_SHARE)
    head = _event(tx, head["event_id"])
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
        elif any(_is_head(row, tenant, key) for row in _events(tx)):
            return False
        elif (maker := tx.try_lock(index, Lock.UPDATE)) is not None:
            yield maker
        else:
            return True


def _writer(tx: Transaction, event_id: _Id) -> Transaction | None:
    for holder in tx.store.locks.get(_name(event_id), ()):
        if holder is not tx and holder.wrote(QUEUED, (event_id,)):
            return holder
    return None


def enqueue(  # noqa: PLR0917 - the arguments of the function in the database
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
    now = _now(tx)
    if dedupe_key is not None:
        known = (tenant, dedupe_key)
        yield from tx.lock((KEYS, known), Lock.UPDATE)
        if tx.get(KEYS, known) is not None:
            return None
        tx.put(KEYS, known, {"tenant_id": tenant, "dedupe_key": dedupe_key, "remembered_from": now + delay})
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
        "ready_at": now + delay,
        "created_at": now,
        "lease_token": 0,
        "lease_until": None,
        "claimed_by": None,
        "error": None,
    }
    yield from place(tx, row)
    return event_id


def _take(tx: Transaction, row: Row, worker: str, lease: timedelta) -> Row:
    taken = {
        **row,
        "state": "running",
        "attempt": row["attempt"] + 1,
        "lease_token": tx.store.next("lease_tokens"),
        "lease_until": _now(tx) + lease,
        "claimed_by": worker,
    }
    tx.put(QUEUED, (row["event_id"],), taken)
    return taken


def _free(tx: Transaction, tenant: Any, kind: str) -> int | None:
    left: list[int] = []
    for _, limit in tx.rows(LIMITS):
        of_tenant, of_kind = limit["tenant_id"], limit["kind"]
        if (of_tenant or tenant) == tenant and (of_kind or kind) == kind:
            running = sum(
                row["state"] == "running"
                and row["tenant_id"] == (of_tenant or row["tenant_id"])
                and row["kind"] == (of_kind or row["kind"])
                for row in _events(tx)
            )
            left.append(limit["at_most"] - running)
    return min(left, default=None)


def _may_run(tx: Transaction, tenant: Any, kind: str) -> bool:
    free = _free(tx, tenant, kind)
    return free is None or free > 0


def claim(  # noqa: C901, PLR0917 - the arguments and the loop of the function in the database
    tx: Transaction,
    worker: str,
    limit: int,
    lease: timedelta,
    kinds: Sequence[str] | None,
    tenants: Sequence[Any] | None = None,
    tenant: Any = None,
    kind: str = "",
) -> Statement:
    due = sorted(
        (row for row in _events(tx) if row["state"] == "waiting" and row["ready_at"] <= _now(tx)),
        key=lambda row: row["ready_at"],
    )
    for row in due:
        if tx.try_lock(_name(row["event_id"]), Lock.NO_KEY_UPDATE) is None:
            _save(tx, row, state="ready")
    yield
    limited = any(True for _ in tx.rows(LIMITS))
    if limited:
        yield from tx.lock(("advisory", "event_limits"), Lock.UPDATE)
    claimed: list[Row] = []
    least, ahead = -(2**31), 8
    served = (tenant.int if tenant is not None else 0, kind)
    while limit > 0:
        ready = [row for row in _events(tx) if row["state"] == "ready" and -row["priority"] >= least]
        if not ready:
            break
        rank = min(-row["priority"] for row in ready)
        groups = _groups(tx, [row for row in ready if -row["priority"] == rank], served)
        groups = [
            group
            for group in groups
            if (kinds is None or group[1] in kinds)
            and (tenants is None or group[0] in tenants)
            and _may_run(tx, *group)
        ][: 1 if limited else limit + ahead]
        yield
        taken = _take_shares(tx, groups, rank, limit, worker, lease, limited=limited)
        claimed += taken
        limit -= len(taken)
        if not taken and len(groups) > limit and not limited:
            ahead *= 100
        elif not taken or (len(groups) == 1 and not limited):
            least = rank + 1
        else:
            served = (groups[-1][0].int, groups[-1][1])
    return claimed


def _groups(tx: Transaction, ready: list[Row], served: tuple[int, str]) -> list[tuple[Any, str]]:
    found = sorted({(row["tenant_id"].int, row["kind"]): row["tenant_id"] for row in ready}.items())
    behind = [(tenant, name[1]) for name, tenant in found if name > served]
    return behind + [(tenant, name[1]) for name, tenant in found if name <= served]


def _take_shares(  # noqa: PLR0917 - the inner query of events_claim
    tx: Transaction,
    groups: list[tuple[Any, str]],
    rank: int,
    limit: int,
    worker: str,
    lease: timedelta,
    *,
    limited: bool,
) -> list[Row]:
    of_tenant = [tenant for tenant, _ in groups]
    shared = len(set(of_tenant))
    taken: list[Row] = []
    for tenant, kind in groups:
        share = 1 if limited else ceil(limit / shared / of_tenant.count(tenant))
        rows = [
            row
            for row in _events(tx)
            if (row["state"], row["tenant_id"], row["kind"], -row["priority"]) == ("ready", tenant, kind, rank)
        ]
        for row in sorted(rows, key=lambda row: (row["tag"], row["event_id"])):
            if share == 0 or len(taken) == limit:
                break
            if tx.try_lock(_name(row["event_id"]), Lock.NO_KEY_UPDATE) is None:
                taken.append(_take(tx, row, worker, lease))
                share -= 1
    return taken


def claim_one(tx: Transaction, worker: str, event_id: _Id, lease: timedelta) -> Statement:
    if any(True for _ in tx.rows(LIMITS)):
        yield from tx.lock(("advisory", "event_limits"), Lock.UPDATE)
    row = _event(tx, event_id)
    if row is None or row["state"] not in {"waiting", "ready"} or row["ready_at"] > _now(tx):
        return []
    if not _may_run(tx, row["tenant_id"], row["kind"]) or tx.try_lock(_name(event_id), Lock.NO_KEY_UPDATE):
        return []
    return [_take(tx, row, worker, lease)]


def promote(tx: Transaction, freed: Sequence[tuple[Any, str]]) -> Statement:
    first: datetime | None = None
    nexts = [
        min(
            (row for row in _events(tx) if _is_blocked(row, tenant, key)), key=lambda row: row["event_id"], default=None
        )
        for tenant, key in freed
    ]
    for row in nexts:
        if row is None:
            continue
        yield from tx.lock(_name(row["event_id"]), Lock.NO_KEY_UPDATE)
        newest = _event(tx, row["event_id"])
        if newest is not None:
            _save(tx, newest, state="waiting" if newest["ready_at"] > _now(tx) else "ready")
            first = newest["ready_at"] if first is None else min(first, newest["ready_at"])
    return first


def _is_blocked(row: Row, tenant: Any, key: str) -> bool:
    return row["tenant_id"] == tenant and row["ordering_key"] == key and row["state"] == "blocked"


def complete(tx: Transaction, ids: Sequence[_Id], tokens: Sequence[int]) -> Statement:
    done: list[Row] = []
    for event_id, token in zip(ids, tokens, strict=True):
        row = _event(tx, event_id)
        if row is not None and _held(row, token) and tx.try_lock(_name(event_id), Lock.UPDATE) is None:
            done.append(row)
    yield
    for row in done:
        tx.put(QUEUED, (row["event_id"],), None)
        tx.put(FINISHED, (row["event_id"],), {**row, "finished_at": _now(tx)})
    freed = [(row["tenant_id"], row["ordering_key"]) for row in done if row["ordering_key"] is not None]
    next_at: datetime | None = None
    if freed:
        yield
        next_at = yield from promote(tx, freed)
    return [{"done": [row["event_id"] for row in done], "next_at": next_at}]


def complete_one(tx: Transaction, event_id: _Id, token: int) -> Statement:
    if not (yield from _lock_held(tx, event_id, token)):
        finished = tx.get(FINISHED, (event_id,))
        return finished is not None and finished["lease_token"] == token
    yield
    [result] = yield from complete(tx, [event_id], [token])
    if result["next_at"] is not None:
        announce(tx, result["next_at"])
    return result["done"] == [event_id]


def _lock_held(tx: Transaction, event_id: _Id, token: int) -> Statement:
    if not _held(_event(tx, event_id), token):
        return False
    yield from tx.lock(_name(event_id), Lock.UPDATE)
    return _held(_event(tx, event_id), token)


def retry(tx: Transaction, event_id: _Id, token: int, error: str, after: timedelta) -> Statement:
    ready_at = _now(tx) + after
    if not _held(_event(tx, event_id), token):
        return False
    yield from tx.lock(_name(event_id), Lock.NO_KEY_UPDATE)
    row = _event(tx, event_id)
    if row is None or not _held(row, token):
        return False
    state = "waiting" if after > _NOTHING else "ready"
    _save(tx, row, state=state, ready_at=ready_at, lease_until=None, error=error)
    announce(tx, ready_at)
    return True


def bury(tx: Transaction, event_id: _Id, error: str) -> Statement:
    dead = _event(tx, event_id)
    assert dead is not None
    tx.put(QUEUED, (event_id,), None)
    tx.put(FAILED, (event_id,), {**dead, "error": error, "failed_at": _now(tx)})
    if dead["ordering_key"] is not None and dead["state"] != "blocked":
        yield
        next_at = yield from promote(tx, [(dead["tenant_id"], dead["ordering_key"])])
        if next_at is not None:
            announce(tx, next_at)


def fail(tx: Transaction, event_id: _Id, token: int, error: str) -> Statement:
    if not (yield from _lock_held(tx, event_id, token)):
        return False
    yield
    yield from bury(tx, event_id, error)
    return True


def cancel(tx: Transaction, event_id: _Id) -> Statement:
    while True:
        row = _event(tx, event_id)
        if row is None:
            return False
        yield
        if row["state"] == "blocked":
            yield from _hold_head(tx, row["tenant_id"], row["ordering_key"])
            yield
        if (yield from _lock_in_state(tx, event_id, row["state"])):
            break
    yield
    yield from bury(tx, event_id, "cancelled")
    if row["state"] == "running":
        tx.notices.append((CHANNEL, f"cancel {event_id}"))
    return True


def _lock_in_state(tx: Transaction, event_id: _Id, state: str) -> Statement:
    row = _event(tx, event_id)
    if row is None or row["state"] != state:
        return False
    yield from tx.lock(_name(event_id), Lock.UPDATE)
    row = _event(tx, event_id)
    return row is not None and row["state"] == state


def release(tx: Transaction, ids: Sequence[_Id], tokens: Sequence[int]) -> Statement:
    released: list[_Id] = []
    for event_id, token in zip(ids, tokens, strict=True):
        if not _held(_event(tx, event_id), token):
            continue
        yield from tx.lock(_name(event_id), Lock.NO_KEY_UPDATE)
        row = _event(tx, event_id)
        if row is not None and _held(row, token):
            ready_at = min(row["ready_at"], _now(tx))
            _save(
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
        announce(tx, _now(tx))
    return released


def release_unknown(tx: Transaction, worker: str, known: Sequence[_Id]) -> Statement:
    unknown = [
        row
        for row in _events(tx)
        if row["state"] == "running" and row["claimed_by"] == worker and row["event_id"] not in known
    ]
    return (yield from release(tx, [row["event_id"] for row in unknown], [row["lease_token"] for row in unknown]))


def extend(tx: Transaction, ids: Sequence[_Id], tokens: Sequence[int], lease: timedelta) -> Statement:
    extended: list[_Id] = []
    for event_id, token in zip(ids, tokens, strict=True):
        if not _held(_event(tx, event_id), token):
            continue
        yield from tx.lock(_name(event_id), Lock.NO_KEY_UPDATE)
        row = _event(tx, event_id)
        if row is not None and _held(row, token):
            _save(tx, row, lease_until=_now(tx) + lease)
            extended.append(event_id)
    return extended


def rescue(tx: Transaction, attempts: int) -> Statement:
    began = _now(tx)
    rescued = failed = 0
    expired = [
        row
        for row in _events(tx)
        if row["state"] == "running"
        and row["lease_until"] < began
        and tx.try_lock(_name(row["event_id"]), Lock.UPDATE) is None
    ]
    for row in expired:
        yield
        if row["attempt"] < attempts:
            error = f"the lease of worker {row['claimed_by']} ran out"
            yield from retry(tx, row["event_id"], row["lease_token"], error, _NOTHING)
            rescued += 1
        else:
            error = f"the lease ran out {row['attempt']} times, last with worker {row['claimed_by']}"
            yield from fail(tx, row["event_id"], row["lease_token"], error)
            failed += 1
    return [{"rescued": rescued, "failed": failed}]


def revive(tx: Transaction, event_id: _Id) -> Statement:
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
        "ready_at": _now(tx),
        "attempt": 0,
        "lease_token": 0,
        "lease_until": None,
        "claimed_by": None,
        "error": None,
    }
    yield from place(tx, row)
    announce(tx, _now(tx))
    return True


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
}
