"""What the tools give, as their output schemas describe it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, Field

from athenaeum.llm.quoting import cut
from athenaeum.tools.quarantine import visible

_MOST: Final = 4000  # characters of one message or passage


def told(text: str) -> str:
    """What somebody wrote, as it is given: without what no reader sees or should repeat, and not without end."""
    shown = visible(text)
    return shown if len(shown) <= _MOST else f"{cut(shown, _MOST)} […]"


class ChannelListing(BaseModel):
    """A channel or conversation."""

    id: str
    name: str = Field(description="Empty for direct messages.")
    kind: str = Field(description="public, private, im (a direct message) or mpim (a group message).")
    topic: str
    is_archived: bool
    is_shared: bool = Field(description="Shared with another organisation.")
    members: list[str] = Field(description="Who is in it, of direct and group messages.")
    link: str | None = None


class ChannelPage(BaseModel):
    """Channels, and where the next page begins."""

    channels: list[ChannelListing]
    next_cursor: str | None = Field(None, description="Give it as cursor to go on; null at the end.")


class PersonListing(BaseModel):
    """A person or a bot."""

    id: str
    name: str
    real_name: str
    is_bot: bool
    is_guest: bool
    is_deactivated: bool
    time_zone: str
    link: str | None = None


class PersonPage(BaseModel):
    """People, and where the next page begins."""

    users: list[PersonListing]
    next_cursor: str | None = Field(None, description="Give it as cursor to go on; null at the end.")


class SaidMessage(BaseModel):
    """One message as it stands now."""

    ts: str = Field(description="Its id within the channel; also its thread's, when it has replies.")
    author: str
    author_id: str | None
    is_bot: bool
    sent_at: datetime
    text: str
    replies: int = 0
    permalink: str | None = None


class ConversationPage(BaseModel):
    """Messages of a channel or a thread, oldest first."""

    channel: ChannelListing
    thread_ts: str | None
    messages: list[SaidMessage]
    next_cursor: str | None = Field(None, description="Give it as cursor for what was said before; null at the start.")


class FoundMessage(BaseModel):
    """A message that was found."""

    channel: str
    author: str | None
    sent_at: datetime | None
    text: str
    score: float
    permalink: str | None = None
    channel_id: str | None = None
    thread_ts: str | None = Field(None, description="With channel_id for get_conversation: what it was said in.")


class FoundMessages(BaseModel):
    """What was found, best first."""

    messages: list[FoundMessage]


class FoundDocument(BaseModel):
    """A passage of a document that was found."""

    title: str
    heading: str
    text: str
    score: float
    url: str | None = None


class FoundDocuments(BaseModel):
    """What was found, best first."""

    passages: list[FoundDocument]
