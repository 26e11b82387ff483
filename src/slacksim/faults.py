"""Faults that are put into the next calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["drop_before", "drop_after", "429", "500", "slow", "slow_after", "error", "error_after"]


@dataclass(slots=True)
class Fault:
    """A fault of the next ``times`` calls of a method; ``*`` means any method.

    Attributes:
        mode: ``drop_before`` closes the connection with nothing done, ``drop_after`` does the work and then closes it;
            ``error`` does nothing and answers with an error, ``error_after`` does the work and then answers so;
            ``slow`` waits before the work, ``slow_after`` after it.
        retry_after: Seconds, the Retry-After of a 429.
        seconds: How long a slow call takes more.
        error: The code of an error, e.g. internal_error.
    """

    method: str
    mode: Mode
    times: int = 1
    retry_after: int = 1
    seconds: float = 1.0
    error: str = "internal_error"


class Faults:
    """The faults that are planned. Each call takes at most one."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []
        self.client_msg_ids_count = True

    def plan(self, fault: Fault) -> None:
        self.planned.append(fault)

    def clear(self) -> None:
        self.planned.clear()
        self.client_msg_ids_count = True

    def take(self, method: str) -> Fault | None:
        """The fault of this call, used up once."""
        for fault in self.planned:
            if fault.method in {method, "*"}:
                fault.times -= 1
                if fault.times <= 0:
                    self.planned.remove(fault)
                return fault
        return None
