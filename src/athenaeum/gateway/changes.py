"""What an event says has changed: the closed set that the intake knows how to store.

`at` is Slack's time of the event: of two that contradict each other the newer is true, whichever came first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from athenaeum.conversations.archive import Message
from athenaeum.conversations.archive.people import Person
from athenaeum.conversations.feedback import Rating
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import AppointmentId, ApprovalId, ChannelId, MessageTs, TurnId, UserId
from athenaeum.domain.message import InboundMessage


@dataclass(frozen=True, slots=True)
class Written:
    """A message was written, or rewritten when `revised`."""

    message: Message
    kind: ChannelKind | None
    """None when the event doesn't say."""
    speech: InboundMessage | None
    """The same message as something said by a person; None for bots and Slack's own notices."""
    revised: bool = False
    now_mentions: bool = False
    """The rewriting put the mention of the bot in."""


@dataclass(frozen=True, slots=True)
class Removed:
    """A message was deleted."""

    channel: ChannelId
    ts: MessageTs
    at: datetime


@dataclass(frozen=True, slots=True)
class Reacted:
    """A reaction was added, or taken back."""

    channel: ChannelId
    ts: MessageTs
    user: UserId
    name: str
    added: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Clicked:
    """Somebody approved or denied what a turn proposes."""

    channel: ChannelId
    thread_ts: MessageTs | None
    user: UserId
    approval: ApprovalId
    approved: bool


@dataclass(frozen=True, slots=True)
class Halted:
    """Somebody wants an answer stopped: that of a turn, or those of the whole thread."""

    channel: ChannelId
    thread_ts: MessageTs | None
    user: UserId
    turn: TurnId | None


@dataclass(frozen=True, slots=True)
class Repeated:
    """Somebody wants a turn that failed to be tried again."""

    channel: ChannelId
    thread_ts: MessageTs | None
    user: UserId
    turn: TurnId


@dataclass(frozen=True, slots=True)
class Rated:
    """Somebody said of an answer whether it was of use."""

    channel: ChannelId
    user: UserId
    turn: TurnId
    verdict: Rating
    at: datetime
    trigger: str
    """Slack's leave to ask them why, for three seconds."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Somebody said why an answer was of no help, after the word that they gave `at` this time."""

    user: UserId
    turn: TurnId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """Somebody wants to be shown, alone, what was found for their question in places that the thread may not read."""

    channel: ChannelId
    user: UserId
    turn: TurnId


@dataclass(frozen=True, slots=True)
class CalledOff:
    """Somebody wants no more of a digest or a reminder."""

    channel: ChannelId
    thread_ts: MessageTs | None
    user: UserId
    appointment: AppointmentId


@dataclass(frozen=True, slots=True)
class Disowned:
    """Somebody wants all that they left here deleted."""

    user: UserId


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """Somebody looks at their Home tab."""

    user: UserId


@dataclass(frozen=True, slots=True)
class TalkOpened:
    """Somebody looks at their direct message with the bot."""

    channel: ChannelId
    user: UserId


@dataclass(frozen=True, slots=True)
class Escalated:
    """Somebody wants a human to look at the matter of a turn."""

    channel: ChannelId
    thread_ts: MessageTs | None
    user: UserId
    turn: TurnId
    at: datetime


@dataclass(frozen=True, slots=True)
class Resolved:
    """Somebody says that whoever asked for a human was helped."""

    channel: ChannelId
    user: UserId
    turn: TurnId


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody joined a channel, or left it."""

    channel: ChannelId
    user: UserId
    joined: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Renamed:
    """A channel has a new name."""

    channel: ChannelId
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Archived:
    """A channel was archived, or brought back."""

    channel: ChannelId
    archived: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Doubted:
    """A channel's readers are not what they were: nobody reads it until it was read from Slack again."""

    channel: ChannelId


@dataclass(frozen=True, slots=True)
class Stale:
    """A channel's description is out of date; its readers are not."""

    channel: ChannelId


@dataclass(frozen=True, slots=True)
class Relocated:
    """A channel has another id."""

    channel: ChannelId
    old: ChannelId


@dataclass(frozen=True, slots=True)
class Regranted:
    """An organisation let the app into some of its workspaces, or shut it out of them."""

    is_wider: bool


@dataclass(frozen=True, slots=True)
class Met:
    """A person came, or changed their name or standing."""

    person: Person


@dataclass(frozen=True, slots=True)
class Nothing:
    """An event that changes nothing we keep."""


Press = Accepted | CalledOff | Clicked | Disowned | Escalated | Explained | Halted | Rated | Repeated | Resolved
"""What a click on one of our buttons wants, or says in a modal of ours."""
Change = (
    Written
    | Removed
    | Reacted
    | Press
    | Moved
    | Renamed
    | Archived
    | Doubted
    | Stale
    | Relocated
    | Regranted
    | Met
    | HomeOpened
    | TalkOpened
    | Nothing
)
