"""What a workspace consists of. These records are the simulator's state; ``objects`` says how Slack shows them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from slacksim.ids import stable_id, stable_secret

JsonObject = dict[str, Any]

BOT_SCOPES = (
    *("app_mentions:read", "assistant:write", "channels:history", "channels:join", "channels:manage"),
    *("channels:read", "chat:write", "emoji:read", "files:read", "files:write", "groups:history", "groups:read"),
    *("groups:write", "im:history", "im:read", "im:write", "metadata.message:read", "mpim:history"),
    *("mpim:read", "mpim:write", "reactions:read", "reactions:write", "team:read", "usergroups:read"),
    *("users.profile:read", "users:read", "users:read.email"),
)


class Kind(StrEnum):
    """The kinds of conversation."""

    PUBLIC = "public"
    PRIVATE = "private"
    IM = "im"
    MPIM = "mpim"


@dataclass(slots=True)
class Team:
    """The workspace itself."""

    id: str
    name: str
    domain: str
    suggestions: tuple[str, ...] = ()
    """Questions that the page offers to a newcomer."""
    enterprise: str | None = None
    """The id of the Enterprise Grid organisation that it belongs to."""


@dataclass(slots=True)
class User:
    """A member of the workspace; a bot is one too. A guest sees only the channels it is a member of."""

    id: str
    name: str
    real_name: str
    title: str = ""
    color: str = "4a154b"
    is_bot: bool = False
    is_guest: bool = False
    is_deleted: bool = False
    bot_id: str | None = None

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


@dataclass(slots=True)
class App:
    """The one app installed in the workspace: its bot, its credentials, and where its events go.

    Attributes:
        events: Event names the app subscribes to, e.g. ``message.channels``; None for all.
        events_url: Request URL of signed HTTP delivery; empty for Socket Mode.
    """

    id: str
    name: str
    user_id: str
    bot_id: str
    bot_token: str
    app_token: str
    signing_secret: str
    scopes: list[str] = field(default_factory=lambda: list(BOT_SCOPES))
    events: frozenset[str] | None = None
    events_url: str = ""
    is_revoked: bool = False
    is_enterprise_install: bool = False

    @classmethod
    def named(cls, name: str, team_id: str, *, user_id: str = "") -> App:
        app_id = stable_id("A", team_id, name)
        return cls(
            id=app_id,
            name=name,
            user_id=user_id or stable_id("U", team_id, "bot", name),
            bot_id=stable_id("B", team_id, name),
            bot_token="-".join(("xoxb", team_id, stable_secret(team_id, name, "bot"))),
            app_token="-".join(("xapp", "1", app_id, stable_secret(team_id, name, "app"))),
            signing_secret=stable_secret(team_id, name, "signing"),
        )


@dataclass(slots=True)
class File:
    """What somebody uploaded, or is about to.

    Attributes:
        address: Of the server that holds it.
        content: Its bytes; None until they came.
        is_sparse: Messages tell its id alone, as in shared channels: the rest has to be asked for.
    """

    id: str
    name: str
    user: str
    team: str
    address: str
    created: int
    mimetype: str = "application/octet-stream"
    title: str = ""
    size: int = 0
    content: bytes | None = None
    is_sparse: bool = False
    is_deleted: bool = False


@dataclass(slots=True)
class Message:
    """One message as the workspace holds it.

    Attributes:
        thread_ts: The parent's ts on a reply, None on a top-level message (also on one that has replies).
        unfurls: Whether the links of this message may be fetched for a preview.
    """

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[JsonObject] = field(default_factory=list[JsonObject])
    attachments: list[JsonObject] = field(default_factory=list[JsonObject])
    files: list[File] = field(default_factory=list[File])
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None
    team: str | None = None
    client_msg_id: str | None = None
    metadata: JsonObject | None = None
    edited: JsonObject | None = None
    inviter: str | None = None
    unfurls: bool = True
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def is_in_timeline(self) -> bool:
        return self.thread_ts is None or self.subtype == "thread_broadcast"


@dataclass(slots=True)
class Streaming:
    """A message that grows by streaming.

    Attributes:
        mode: How its tasks are shown: timeline, plan or dense.
        chunks: What it was made of so far, in order.
        started: When, in seconds of a clock that never goes back.
        ended: Whether the app ended it.
        stopped_by: Who ended it in the app's place.
    """

    mode: str
    chunks: list[JsonObject] = field(default_factory=list[JsonObject])
    started: float = field(default_factory=time.monotonic)
    ended: bool = False
    stopped_by: str = ""


@dataclass(slots=True)
class Ephemeral:
    """A message that only one person saw."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[JsonObject]
    thread_ts: str | None = None

    def to_json(self) -> JsonObject:
        return {
            "type": "message",
            "subtype": "ephemeral",
            "ts": self.ts,
            "channel": self.channel,
            "user": self.user,
            "text": self.text,
            "blocks": self.blocks,
            "thread_ts": self.thread_ts,
        }


@dataclass(slots=True)
class Channel:
    """A conversation and what was said in it.

    Attributes:
        messages: Every message by ts.
        timeline: Sorted ts of what the channel view shows: top-level messages and broadcast replies.
        threads: Sorted ts of the replies, by the parent's ts.
    """

    id: str
    name: str
    kind: Kind
    creator: str
    created: int
    members: list[str] = field(default_factory=list[str])
    topic: str = ""
    purpose: str = ""
    is_archived: bool = False
    is_general: bool = False
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    timeline: list[str] = field(default_factory=list[str])
    threads: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def event_channel_type(self) -> str:
        """The ``channel_type`` of an event."""
        return {Kind.PUBLIC: "channel", Kind.PRIVATE: "group"}.get(self.kind, self.kind.value)
