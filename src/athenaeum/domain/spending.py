"""What money was spent on, as reports add it up."""

from __future__ import annotations

from enum import StrEnum


class By(StrEnum):
    """What the lines of a report are of."""

    USER = "user"
    CHANNEL = "channel"
    DAY = "day"
    MODEL = "model"
