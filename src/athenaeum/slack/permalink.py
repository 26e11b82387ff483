"""Addresses of what is in Slack, computed: `chat.getPermalink` costs a call for what the ids already say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from athenaeum.domain.identity import ChannelId, MessageTs, UserId

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH = re.compile(r"archives/(?P<channel>[A-Z][A-Z0-9]{1,63})/p(?P<seconds>\d{10})(?P<micros>\d{6})")
_ADDRESS = re.compile(r"https?://[^\s<>|]+")
_TS = re.compile(r"\d{10}\.\d{6}")


@dataclass(frozen=True, slots=True)
class MessageLink:
    """A message, and the thread that its address names."""

    channel: ChannelId
    ts: MessageTs
    thread_ts: MessageTs


def permalink(url: str, channel: ChannelId, ts: MessageTs, thread_ts: MessageTs | None = None) -> str:
    """Where a browser opens the message; `url` is the workspace's address as `auth.test` gives it."""
    address = f"{channel_link(url, channel)}/p{ts.replace('.', '')}"
    if thread_ts is None or thread_ts == ts:
        return address
    return f"{address}?{urlencode({'thread_ts': thread_ts, 'cid': channel})}"


def channel_link(url: str, channel: ChannelId) -> str:
    """Where a browser opens the channel."""
    return f"{url.rstrip('/')}/archives/{channel}"


def person_link(url: str, user: UserId) -> str:
    """Where a browser shows the person."""
    return f"{url.rstrip('/')}/team/{user}"


def find_links(words: str, url: str) -> list[MessageLink]:
    """The messages of the workspace at `url` that the words link to, each once."""
    return list(dict.fromkeys(_links(words, url)))


def _links(words: str, url: str) -> Iterator[MessageLink]:
    for address in _ADDRESS.findall(words):
        found = _PATH.fullmatch(address.partition("?")[0].removeprefix(url))
        if found:
            ts = f"{found['seconds']}.{found['micros']}"
            root = parse_qs(urlsplit(address).query).get("thread_ts", [ts])[0]
            thread_ts = root if _TS.fullmatch(root) else ts
            yield MessageLink(ChannelId(found["channel"]), MessageTs(ts), MessageTs(thread_ts))
