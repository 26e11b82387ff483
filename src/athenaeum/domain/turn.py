"""A turn: one user message and the one answer it gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from athenaeum.domain.channel import Place, Surface
    from athenaeum.domain.identity import AppointmentId, MessageTs, PassageId, TenantId, TurnId, UserId


class Occasion(StrEnum):
    """What somebody asked to have said at a certain time."""

    DIGEST = "digest"
    REMINDER = "reminder"


@dataclass(frozen=True, slots=True)
class Summons:
    """What opened a turn in the place of a message: a time that came."""

    occasion: Occasion
    appointment: AppointmentId
    due: datetime
    """The time."""
    since: datetime | None = None
    """Where the period of a digest begins; it ends when it is due."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the agent is asked, by whom and where; built from the turn, never from a model."""

    tenant: TenantId
    turn: TurnId
    surface: Surface
    text: str
    """The message without the mention of the bot; may be empty."""
    asker: UserId
    asker_name: str
    place: Place
    message_ts: MessageTs
    thread_ts: MessageTs
    """The thread's root: the message itself when it began the thread."""
    asked_at: datetime
    summons: Summons | None = None
    """None: a message of its asker."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered source of an answer, with words that really stand in it."""

    number: int
    passage: PassageId
    title: str
    url: str | None
    quote: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What a turn cost, summed over its model requests, replayed ones not counted again."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The finished answer as Markdown; `[1]` in the text refers to the citation with that number."""

    text: str
    citations: tuple[Citation, ...] = ()
    model: str = ""
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class StepStarted:
    """The agent does something that takes time; `label` is for people ("Searching documents…")."""

    label: str


@dataclass(frozen=True, slots=True)
class TextGrew:
    """The answer so far, from its beginning."""

    text: str


Progress = StepStarted | TextGrew
