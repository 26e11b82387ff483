"""The record of the Web API calls received."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from slacksim.model import JsonObject

KEPT = 20_000


@dataclass(slots=True)
class CallRecord:
    """One call; status 0 means that the connection was closed without an answer."""

    method: str
    arguments: JsonObject
    status: int = 200
    error: str | None = None
    time: float = field(default_factory=time.time)
    ms: float = 0.0
    fault: str | None = None


class CallLog:
    """The newest calls, oldest first."""

    def __init__(self) -> None:
        self._records: deque[CallRecord] = deque(maxlen=KEPT)

    def begin(self, method: str, arguments: Mapping[str, Any]) -> CallRecord:
        shown = {name: value for name, value in arguments.items() if name != "token"}
        record = CallRecord(method, shown)
        self._records.append(record)
        return record

    def of(self, method: str = "", *, newest: int = KEPT) -> list[JsonObject]:
        """The calls of a method, or all; only the newest when told how many."""
        records = [record for record in self._records if not method or record.method == method]
        return [asdict(record) for record in records[-newest:]]

    def clear(self) -> None:
        self._records.clear()
