"""Turns: a person's message, who works on it, and the one answer it gets.

`open_turn` in the transaction that archives the message; `take`, `save_answer`, `finish` and their kin under the
fencing token of the claim; `wait_for` by whoever wants the answer.
"""

from __future__ import annotations

from athenaeum.conversations.turns.again import Repeating, is_repeatable, repeat
from athenaeum.conversations.turns.answers import from_json, to_json
from athenaeum.conversations.turns.approvals import (
    Ruling,
    changed,
    decide,
    decisions,
    expire,
    overdue,
    park,
    pending,
    recall,
)
from athenaeum.conversations.turns.erasure import WITHDRAWAL, empty, withdraw, withdrawal
from athenaeum.conversations.turns.ledger import (
    TURNS_CHANNEL,
    Turn,
    cancel,
    check,
    fail,
    finish,
    look,
    read_row,
    save_answer,
    stands,
    take,
    withdrawn,
)
from athenaeum.conversations.turns.opening import open_turn
from athenaeum.conversations.turns.parked import Parked, parked
from athenaeum.conversations.turns.question import question
from athenaeum.conversations.turns.queueing import ASK, TURN
from athenaeum.conversations.turns.refusal import note_told, refuse, untold
from athenaeum.conversations.turns.stopping import STOP, Stopping, may_decide, stop, stop_thread
from athenaeum.conversations.turns.stranded import inherit, stranded
from athenaeum.conversations.turns.waiting import wait_for

__all__ = [
    "ASK",
    "STOP",
    "TURN",
    "TURNS_CHANNEL",
    "WITHDRAWAL",
    "Parked",
    "Repeating",
    "Ruling",
    "Stopping",
    "Turn",
    "cancel",
    "changed",
    "check",
    "decide",
    "decisions",
    "empty",
    "expire",
    "fail",
    "finish",
    "from_json",
    "inherit",
    "is_repeatable",
    "look",
    "may_decide",
    "note_told",
    "open_turn",
    "overdue",
    "park",
    "parked",
    "pending",
    "question",
    "read_row",
    "recall",
    "refuse",
    "repeat",
    "save_answer",
    "stands",
    "stop",
    "stop_thread",
    "stranded",
    "take",
    "to_json",
    "untold",
    "wait_for",
    "withdraw",
    "withdrawal",
    "withdrawn",
]
