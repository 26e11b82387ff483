"""Whether the clocks agree: Slack's signatures are good for five minutes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from athenaeum.diagnostics.finding import Finding, fault, ok, warning

SUBJECT = "clock"
DATABASE, SLACK = "the database's", "Slack's"
_LIMIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far another clock is ahead of this machine's."""

    name: str
    ahead: timedelta


def judge(readings: Sequence[Reading]) -> Finding:
    """Compare this machine's clock with the others; over a minute apart is a fault."""
    if not readings:
        return warning(SUBJECT, "no other clock to compare with", "mend the database or Slack first")
    off = [reading for reading in readings if abs(reading.ahead) > _LIMIT]
    if not off:
        worst = max(abs(reading.ahead) for reading in readings)
        names = " and ".join(reading.name for reading in readings)
        return ok(SUBJECT, f"within {worst.total_seconds():.0f} s of {names}")
    told = ", ".join(f"{abs(reading.ahead).total_seconds():.0f} s {_side(reading)} {reading.name}" for reading in off)
    return fault(SUBJECT, f"this machine's clock is {told}", _mend(off, agreed=len(readings) > len(off)))


def _side(reading: Reading) -> str:
    return "behind" if reading.ahead > timedelta(0) else "ahead of"


def _mend(off: Sequence[Reading], *, agreed: bool) -> str:
    there = "on the database's host" if agreed and off[0].name == DATABASE else "here"
    return f"set the clock {there}: timedatectl set-ntp true"
