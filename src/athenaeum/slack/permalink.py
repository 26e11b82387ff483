"""A message's address, computed: `chat.getPermalink` costs a call for what the ids already say."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from athenaeum.domain.identity import ChannelId, MessageTs


def permalink(url: str, channel: ChannelId, ts: MessageTs, thread_ts: MessageTs | None = None) -> str:
    """Where a browser opens the message; `url` is the workspace's address as `auth.test` gives it."""
    address = f"{url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}"
    if thread_ts is None or thread_ts == ts:
        return address
    return f"{address}?{urlencode({'thread_ts': thread_ts, 'cid': channel})}"
