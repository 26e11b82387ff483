"""Statements that the product writes as text, each bound to what it does; one that is not known here fails loudly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from athenaeum.conversations.archive import eventlog
from athenaeum.database import audit
from athenaeum.events import backlog, history, tokens
from athenaeum.worker import greeter
from support.simulation import procedures
from support.simulation.event_rows import QUEUED
from support.simulation.statements import Record
from support.simulation.store import Row, Statement, Transaction

Bound = Callable[[Transaction, Any], Statement]

_CALL = re.compile(r"\b(events_\w+)\(([^)]*(?:\([^)]*\)[^)]*)*)\)")
_PLACE = re.compile(r"%s|(?<!:):(\w+)")
_UNTIL = re.compile(r"(\w+) - clock_timestamp\(\)")


def plain(text: str) -> str:
    """A statement's text without its layout."""
    return " ".join(text.split())


def describe(text: str, parameters: Any) -> str:
    """A statement in a few words."""
    call = _CALL.search(plain(text))
    given = parameters.values() if isinstance(parameters, Mapping) else parameters or ()
    told = ", ".join(str(value) for value in given if value is not None and not isinstance(value, UUID))
    return f"{call[1] if call else plain(text)[:60]}({told})"


@cache
def bind(text: str) -> Bound:
    """What a statement does, given its parameters."""
    text = plain(text)
    if text in _SPECIAL:
        return _SPECIAL[text]
    call = _CALL.search(text)
    procedure = procedures.PROCEDURES.get(call[1]) if call else None
    if call is None or procedure is None:
        raise NotImplementedError(f"the statement {text}")
    places = [place[1] for place in _PLACE.finditer(text)]
    named = places[:1] != [None] and bool(places)
    columns = text.removeprefix("SELECT ").partition(" FROM ")[0].split(", ") if " FROM " in text else None
    name = call[1]

    def run(tx: Transaction, parameters: Any) -> Statement:
        given = [parameters[place] for place in places] if named else list(parameters)
        # looked up again: a planted fault may have taken its place
        result = yield from procedures.PROCEDURES[name](tx, *(_sent(name, value) for value in given))
        if columns is None:
            return [Record([name], [result])]
        return [Record(columns, [_column(tx, row, column) for column in columns]) for row in result]

    return run


def _sent(name: str, value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{") and name.startswith("events_enqueue"):
        return json.loads(value)
    return value


def _column(tx: Transaction, row: Row, column: str) -> Any:
    if until := _UNTIL.fullmatch(column):
        moment = row[until[1]]
        return None if moment is None else moment - tx.store.clock()
    return row[column]


def _waiting(tx: Transaction, parameters: Mapping[str, Any]) -> Statement:
    now = tx.began
    found = [
        row
        for _, row in tx.rows(QUEUED)
        if row["kind"] in (parameters["kind"], parameters["stop"])
        and row["state"] != "running"
        and row["attempt"] <= 1
        and row["event_id"] > parameters["seen"]
        and row["created_at"] <= now - parameters["unseen"]
    ]
    found.sort(key=lambda row: row["event_id"])
    names = ["id", "tenant_id", "turn"]
    return [
        Record(names, [row["event_id"], row["tenant_id"], row["payload"]["turn"]])
        for row in found[: parameters["limit"]]
    ]
    yield


def _notify(tx: Transaction, parameters: Sequence[Sequence[str]]) -> Statement:
    tx.notices += zip(*parameters, strict=True)
    return []
    yield


def _draw(tx: Transaction, _parameters: Any) -> Statement:
    return [Record(["nextval"], [tx.store.next("lease_tokens")])]
    yield


def _nothing(_tx: Transaction, _parameters: Any) -> Statement:
    return []
    yield


_SPECIAL: dict[str, Bound] = {
    "SET synchronous_commit = off": _nothing,
    "SELECT pg_notify(channel, payload) FROM unnest(%s::text[], %s::text[]) AS said (channel, payload)": _notify,
    plain(history._UPKEEP.text): _nothing,
    plain(tokens._DRAW.text): _draw,
    # measuring for operators changes nothing
    plain(backlog._COUNT.text): _nothing,
    plain(greeter._WAITING.text): _waiting,
    # nothing is said through the gateway here, so the log holds no words
    plain(eventlog._BLANK.text): _nothing,
    plain(eventlog._BLANK_PAGES.text): _nothing,
    plain(audit._APPEND.text): _nothing,
}


def _is_live(tx: Transaction, rows: Mapping[str, Row]) -> bool:
    turn = rows["turns"]
    if tx.get(QUEUED, (turn["event_id"],)) is not None:
        return True
    approvals = (row for _, row in tx.rows("approvals"))
    return any(row["turn_id"] == turn["turn_id"] and row["decision"] is None for row in approvals)


LIVE = (
    "EXISTS (SELECT FROM events WHERE events.id = turns.event_id AND events.status IN ('pending', 'processing'))"
    " OR EXISTS (SELECT FROM approvals WHERE approvals.turn_id = turns.turn_id AND approvals.decision IS NULL)"
)
PREDICATES = {f"({LIVE})": _is_live}
"""Conditions of otherwise built statements that the product writes as text; see `conversations.turns.stranded`."""
