"""A message on its way to Slack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from athenaeum.domain.identity import ChannelId, MessageTs


@dataclass(frozen=True, slots=True)
class Post:
    """A message to be posted in a thread, or outside of threads where `thread_ts` is None.

    `metadata` is readable by everyone in the workspace: opaque ids only. Unfurling is off: a link preview
    fetched by Slack would carry out whatever a planted instruction put into the link.
    """

    channel: ChannelId
    thread_ts: MessageTs | None
    text: str
    blocks: Sequence[Mapping[str, Any]]
    client_msg_id: UUID
    metadata: Mapping[str, Any]

    def arguments(self) -> dict[str, Any]:
        """The arguments of `chat.postMessage`."""
        return {
            "channel": self.channel,
            "thread_ts": self.thread_ts,
            "text": self.text,
            "blocks": list(self.blocks) or None,
            "client_msg_id": str(self.client_msg_id),
            "metadata": dict(self.metadata),
            "unfurl_links": False,
            "unfurl_media": False,
            "link_names": False,
        }
