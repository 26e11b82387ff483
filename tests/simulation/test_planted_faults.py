"""A fault is put into the product or into its database on purpose, and has to be found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, update

from athenaeum.conversations import turns
from athenaeum.conversations.turns import Turn
from athenaeum.database import models
from athenaeum.domain.identity import LeaseToken
from athenaeum.domain.turn import Answer
from athenaeum.worker.delivery import intents
from athenaeum.worker.delivery.posting import Posting
from athenaeum.worker.delivery.thread import Thread
from athenaeum.worker.handlers.turn import TurnHandler
from athenaeum.worker.lease import Lease
from support.simulation import ordering, procedures
from support.simulation.event_rows import FAILED, FINISHED, KEYS, QUEUED
from support.simulation.exploration import Setting, explore
from support.simulation.ledger import Ledger
from support.simulation.queue_scenario import QueueScenario
from support.simulation.store import Lock, Row, Statement, Transaction
from support.simulation.turn_scenario import TurnScenario

ENOUGH = {"queue": 8_000, "turn": 2_000}
"""Seeds that are tried at most; most faults are found within a hundred, the slowest took 1,519."""

Plant = Callable[[pytest.MonkeyPatch], None]
Patch = pytest.MonkeyPatch


def complete_without_the_fence(patch: Patch) -> None:
    def complete(tx: Transaction, ids: list[int], tokens: list[int]) -> Statement:
        newest = {row["event_id"]: row["lease_token"] for _, row in tx.rows(QUEUED)}
        held = [newest.get(event_id, token) for event_id, token in zip(ids, tokens, strict=True)]
        return (yield from procedures.complete(tx, ids, held))

    patch.setitem(procedures.PROCEDURES, "events_complete", complete)


def handlers_go_on_without_their_lease(patch: Patch) -> None:
    def revoke(self: Lease) -> None:
        self.revoked = True

    patch.setattr(Lease, "revoke", revoke)
    patch.setattr(Ledger, "fenced", False)


def order_is_looked_at_and_not_locked(patch: Patch) -> None:
    def place(tx: Transaction, row: Row) -> Statement:
        key = row["ordering_key"]
        behind = key is not None and any(
            standing["ordering_key"] == key and standing["state"] in {"waiting", "ready", "running"}
            for _, standing in tx.rows(QUEUED)
        )
        yield
        tx.try_lock((QUEUED, (row["event_id"],)), Lock.UPDATE)
        tx.put(QUEUED, (row["event_id"],), {**row, "state": "blocked" if behind else "ready"})

    patch.setattr(ordering, "place", place)


def the_next_of_a_key_is_not_promoted_after_a_failure(patch: Patch) -> None:
    def fail(tx: Transaction, event_id: int, token: int, error: str) -> Statement:
        row = tx.get(QUEUED, (event_id,))
        if row is None or row["lease_token"] != token:
            return False
        yield from tx.lock((QUEUED, (event_id,)), Lock.UPDATE)
        tx.put(QUEUED, (event_id,), None)
        tx.put(FAILED, (event_id,), {**row, "error": error})
        return True

    patch.setitem(procedures.PROCEDURES, "events_fail", fail)


def claims_are_not_counted(patch: Patch) -> None:
    take = procedures._take

    def uncounted(tx: Transaction, row: Row, worker: str, lease: timedelta) -> Row:
        taken = {**take(tx, row, worker, lease), "attempt": 1}
        tx.put(QUEUED, (row["event_id"],), taken)
        return taken

    patch.setattr(procedures, "_take", uncounted)


def heartbeats_go_by_the_workers_clock(patch: Patch) -> None:
    ahead = timedelta(hours=1)

    def extend(tx: Transaction, ids: list[int], tokens: list[int], lease: timedelta) -> Statement:
        return (yield from procedures.extend(tx, ids, tokens, lease + ahead))

    patch.setitem(procedures.PROCEDURES, "events_extend", extend)


def cancelling_does_not_hold_the_head(patch: Patch) -> None:
    """As it was written at first: who completes the head chooses the cancelled event as the next, and finds it gone."""

    def cancel(tx: Transaction, event_id: int) -> Statement:
        yield from tx.lock((QUEUED, (event_id,)), Lock.UPDATE)
        if tx.get(QUEUED, (event_id,)) is None:
            return False
        yield
        yield from procedures.bury(tx, event_id, "cancelled")
        return True

    patch.setitem(procedures.PROCEDURES, "events_cancel", cancel)


def the_dedupe_key_is_dropped(patch: Patch) -> None:
    def enqueue(tx: Transaction, tenant: Any, kind: str, payload: Any, _dedupe_key: str, *more: Any) -> Statement:
        return (yield from procedures.enqueue(tx, tenant, kind, payload, None, *more))

    patch.setitem(procedures.PROCEDURES, "events_enqueue", enqueue)


def the_dedupe_key_is_looked_for_and_not_locked(patch: Patch) -> None:
    def enqueue(tx: Transaction, tenant: Any, kind: str, payload: Any, dedupe_key: str, *more: Any) -> Statement:
        if tx.get(KEYS, (tenant, dedupe_key)) is not None:
            return None
        yield
        tx.put(KEYS, (tenant, dedupe_key), {"tenant_id": tenant, "dedupe_key": dedupe_key})
        return (yield from procedures.enqueue(tx, tenant, kind, payload, None, *more))

    patch.setitem(procedures.PROCEDURES, "events_enqueue", enqueue)


def a_second_completion_is_a_lost_lease(patch: Patch) -> None:
    """Whoever completes has the lease's row deleted without a trace in the history."""

    def complete(tx: Transaction, ids: list[int], tokens: list[int]) -> Statement:
        found = yield from procedures.complete(tx, ids, tokens)
        for event_id in found[0]["done"]:
            tx.put(FINISHED, (event_id,), None)
        return found

    patch.setitem(procedures.PROCEDURES, "events_complete", complete)


def doubt_posts_again_without_reading_back(patch: Patch) -> None:
    async def nothing(*_: object) -> None:
        return None

    patch.setattr(Posting, "_read_back", nothing)
    patch.setattr(Posting, "_look", nothing)


def the_answer_is_shown_before_it_is_saved(patch: Patch) -> None:
    async def answer(self: TurnHandler, turn: Turn, token: LeaseToken) -> Answer:
        async with self._database.session(turn.tenant) as session:
            question = await turns.question(session, turn)

        async def unseen(_: object) -> None:
            return None

        found = await self._agent.answer(question, fence=token, progress=unseen)
        assert isinstance(found, Answer)
        await self._delivery.deliver(turn, token, found)
        async with self._database.session(turn.tenant) as session:
            return await turns.save_answer(session, turn.id, token, found)

    patch.setattr(TurnHandler, "_answer", answer)


def the_intent_is_recorded_without_comparing(patch: Patch) -> None:
    async def record(session: Any, turn: Turn, intent: Any, ts: Any) -> Any:
        await session.execute(
            update(models.Delivery).where(intents._is(turn, intent.part)).values(ts=ts, posting_until=None)
        )
        return ts

    async def leaseless(session: Any, turn: Turn, part: int, **_: Any) -> Any:
        found = await intents.read(session, turn, part)
        return None if found is None or found.ts is not None else found

    patch.setattr(intents, "record", record)
    patch.setattr(intents, "lease", leaseless)


def posts_and_updates_are_made_without_the_fence(patch: Patch) -> None:
    async def nothing(*_: object) -> None:
        return None

    patch.setattr(Thread, "check", nothing)
    patch.setattr(turns, "check", nothing)

    async def save(session: Any, turn: Any, _token: Any, answer: Answer, **_: Any) -> Answer:
        values = {"answer": turns.to_json(answer), "answered_at": func.now()}
        await session.execute(update(models.Turn).where(models.Turn.turn_id == turn).values(values))
        return answer

    patch.setattr(turns, "save_answer", save)


QUEUE: tuple[Plant, ...] = (
    complete_without_the_fence,
    handlers_go_on_without_their_lease,
    order_is_looked_at_and_not_locked,
    the_next_of_a_key_is_not_promoted_after_a_failure,
    claims_are_not_counted,
    heartbeats_go_by_the_workers_clock,
    cancelling_does_not_hold_the_head,
    the_dedupe_key_is_dropped,
    the_dedupe_key_is_looked_for_and_not_locked,
    a_second_completion_is_a_lost_lease,
)
TURN: tuple[Plant, ...] = (
    doubt_posts_again_without_reading_back,
    the_answer_is_shown_before_it_is_saved,
    the_intent_is_recorded_without_comparing,
    posts_and_updates_are_made_without_the_fence,
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("plant", "setting"),
    [(plant, QueueScenario) for plant in QUEUE] + [(plant, TurnScenario) for plant in TURN],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_fault_is_found(plant: Plant, setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)

    assert explore(setting, range(ENOUGH[setting.name])) is not None
