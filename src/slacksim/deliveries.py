"""What is sent to the app, and what became of each delivery."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from slacksim.model import JsonObject

Via = Literal["socket", "http"]
EnvelopeType = Literal["events_api", "interactive", "slash_commands"]
Outcome = Literal["sent", "acked", "timeout", "connection_lost", "failed"]


@dataclass(slots=True)
class Attempt:
    """One try to deliver.

    Attributes:
        to: The connection's id, or the URL.
        outcome: How it ended; ``sent`` while nothing is known.
        detail: HTTP status or reason, where there is one.
    """

    number: int
    to: str
    time: float
    outcome: Outcome = "sent"
    detail: str = ""


@dataclass(slots=True)
class Delivery:
    """One payload on its way to the app."""

    type: EnvelopeType
    payload: JsonObject
    via: Via
    envelope_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    time: float = field(default_factory=time.time)
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    acked: bool = False
    given_up: bool = False
    response: Any = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it was acknowledged or given up."""

    @property
    def event_id(self) -> str | None:
        return self.payload.get("event_id")

    @property
    def answer(self) -> JsonObject:
        """What the app acknowledged an interaction with; empty when it said nothing."""
        answer = self.response
        if isinstance(answer, str):
            try:
                answer = json.loads(answer)
            except ValueError:
                answer = None
        return cast("JsonObject", answer) if isinstance(answer, dict) else {}

    def acknowledge(self, response: Any) -> None:
        self.acked, self.response = True, response
        self.settled.set()

    def give_up(self) -> None:
        self.given_up = True
        self.settled.set()

    def attempt(self, to: str) -> Attempt:
        attempt = Attempt(len(self.attempts), to, time.time())
        self.attempts.append(attempt)
        return attempt

    def to_json(self) -> JsonObject:
        return {
            "event_id": self.event_id,
            "envelope_id": self.envelope_id,
            "type": self.type,
            "via": self.via,
            "time": self.time,
            "acked": self.acked,
            "given_up": self.given_up,
            "response": self.response,
            "payload": self.payload,
            "attempts": [
                {"number": a.number, "to": a.to, "time": a.time, "outcome": a.outcome, "detail": a.detail}
                for a in self.attempts
            ],
        }


@dataclass(slots=True)
class Timing:
    """How patient deliveries are; tests shorten it.

    Attributes:
        ack_seconds: How long the app may take to acknowledge.
        retry_delays: Seconds before each retry; their number is the number of retries.
        warning_seconds: How long a connection lives on after a disconnect warning.
    """

    ack_seconds: float = 3.0
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    warning_seconds: float = 10.0
