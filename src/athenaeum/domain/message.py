"""One message in the form every channel is normalised to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from athenaeum.domain.channel import ChannelKind, Surface
    from athenaeum.domain.identity import ChannelId, MessageTs, UserId


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message as it arrived, neutral to the kind of channel; the tenant is resolved apart."""

    surface: Surface
    workspace: str
    """The outer id of the workspace (Slack's team id); a tenant is looked up by it."""
    enterprise: str | None
    channel: ChannelId
    channel_kind: ChannelKind
    sender: UserId
    text: str
    """As written, the mention of the bot taken out."""
    ts: MessageTs
    thread_ts: MessageTs | None
    sent_at: datetime
    mentions_bot: bool
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
