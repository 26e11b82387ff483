"""What happened in the workspace, told to whoever listens: event delivery, the page's stream, the unfurler."""

from __future__ import annotations

from dataclasses import dataclass

from slacksim.model import Channel, Ephemeral, JsonObject, Message


@dataclass(frozen=True, slots=True)
class Posted:
    """A message appeared."""

    channel: Channel
    message: Message


@dataclass(frozen=True, slots=True)
class Edited:
    """A message has new content; ``previous`` is Slack's JSON of the old one."""

    channel: Channel
    message: Message
    previous: JsonObject
    event_ts: str


@dataclass(frozen=True, slots=True)
class Grew:
    """A message that is being streamed has more content. The page shows it; the app hears of it when it is whole."""

    channel: Channel
    message: Message


@dataclass(frozen=True, slots=True)
class SessionStopped:
    """Somebody pressed Slack's own Stop button in a thread; the streams there have ended."""

    channel: Channel
    thread_ts: str
    user: str
    streams: tuple[str, ...]
    event_ts: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message is gone; ``previous`` is Slack's JSON of it."""

    channel: Channel
    ts: str
    previous: JsonObject
    event_ts: str


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody added or removed a reaction."""

    channel: Channel
    message: Message
    user: str
    name: str
    is_added: bool
    event_ts: str


@dataclass(frozen=True, slots=True)
class Whispered:
    """An ephemeral message was shown to one person."""

    channel: Channel
    ephemeral: Ephemeral


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody became a member."""

    channel: Channel
    user: str
    inviter: str | None
    event_ts: str


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody is no longer a member."""

    channel: Channel
    user: str
    event_ts: str


@dataclass(frozen=True, slots=True)
class ChannelTouched:
    """A conversation was created, opened, archived or unarchived: ``what`` is the event's name."""

    channel: Channel
    what: str
    user: str
    event_ts: str


@dataclass(frozen=True, slots=True)
class StatusSet:
    """The app's status line in a thread changed; empty text removes it."""

    channel: Channel
    thread_ts: str
    status: str
    loading_messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggested:
    """The app offers questions to begin with in a direct message."""

    channel: Channel
    questions: tuple[str, ...]


Change = (
    Posted
    | Edited
    | Grew
    | Deleted
    | Reacted
    | Whispered
    | Joined
    | Left
    | ChannelTouched
    | StatusSet
    | Suggested
    | SessionStopped
)
