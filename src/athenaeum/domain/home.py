"""What a person sees of themselves in the app's Home tab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    from athenaeum.domain.channel import Mode
    from athenaeum.domain.identity import ChannelId


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of theirs that was answered, and where a browser opens it, if the workspace's address is known."""

    question: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """US dollars for language models in a day that a question in a direct message is under."""

    whose: str
    dollars: Decimal
    spent: Decimal


@dataclass(frozen=True, slots=True)
class Attended:
    """A channel of theirs in which more is answered than mentions; counts are today's."""

    channel: ChannelId
    mode: Mode
    answered: int
    cap: int


@dataclass(frozen=True, slots=True)
class Home:
    """All of it; nothing here is of anybody else's questions."""

    name: str
    role: str
    answered: Sequence[Answered]
    """The latest first."""
    allowances: Sequence[Allowance]
    per_channel: int | None
    """Questions a minute in a channel; None is no limit."""
    per_person: int | None
    attended: Sequence[Attended]
    kept: int
    """Questions of theirs that are kept with their answers."""
    kept_since: datetime | None
