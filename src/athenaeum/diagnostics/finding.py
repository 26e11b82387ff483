"""What was found, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """A warning lets the product work, less well or less safely; a fault does not."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """A look at one subject: `detail` is one line, `mend` the command or setting that mends what is not ok."""

    subject: str
    status: Verdict
    detail: str
    mend: str | None = None


def ok(subject: str, detail: str) -> Finding:
    """All is well with the subject."""
    return Finding(subject, Verdict.OK, _line(detail))


def warning(subject: str, detail: str, mend: str) -> Finding:
    """Something to know about the subject."""
    return Finding(subject, Verdict.WARNING, _line(detail), mend)


def fault(subject: str, detail: str, mend: str) -> Finding:
    """Something to mend."""
    return Finding(subject, Verdict.FAULT, _line(detail), mend)


def _line(text: str) -> str:
    return " ".join(text.split())
