"""Where a conversation takes place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from athenaeum.domain.identity import ChannelId


class ChannelKind(StrEnum):
    """Who can read along: everyone, the invited, one other, a few others."""

    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "im"
    GROUP = "mpim"


class Mode(StrEnum):
    """What is answered in a channel, outside of threads."""

    MENTIONS = "mentions"
    QUESTIONS = "questions"
    ALL = "all"
    SUGGEST = "suggest"
    """Questions, and only their writer sees the answer."""


class Surface(StrEnum):
    """The outer edge a question came from; only gateway and delivery look at it."""

    SLACK = "slack"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Place:
    """A channel as the agent and the audience rule see it."""

    id: ChannelId
    name: str
    kind: ChannelKind
    is_shared: bool = False
    """Strangers from another organisation may read here."""
