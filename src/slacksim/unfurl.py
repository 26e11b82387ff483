"""The unfurler: it fetches nothing, and writes down what Slack's would have fetched."""

from __future__ import annotations

import time
from collections.abc import Iterator

from slacksim.blocks import texts
from slacksim.changes import Change, Edited, Posted
from slacksim.model import JsonObject, Message
from slacksim.rich_text import links
from slacksim.world import World


class Unfurler:
    """Records the links of messages that allow previews, and every image of a block: Slack loads those always."""

    def __init__(self, world: World) -> None:
        self.fetches: list[JsonObject] = []
        self._seen: set[tuple[str, str]] = set()
        world.listen(self._follow)

    def forget(self) -> None:
        self.fetches.clear()
        self._seen.clear()

    def _follow(self, change: Change) -> None:
        if not isinstance(change, Posted | Edited):
            return
        message = change.message
        for url, kind in _fetched(message):
            if (message.ts, url) not in self._seen:
                self._seen.add((message.ts, url))
                self.fetches.append(
                    {
                        "url": url,
                        "kind": kind,
                        "channel": message.channel,
                        "ts": message.ts,
                        "user": message.user,
                        "bot_id": message.bot_id,
                        "time": time.time(),
                    }
                )


def _fetched(message: Message) -> Iterator[tuple[str, str]]:
    if message.unfurls:
        for text in (message.text, *(texts(message.blocks) if message.bot_id else ())):
            for url in links(text):
                yield url, "link"
    for block in message.blocks:
        candidates: list[JsonObject] = [block, *(block.get("elements") or [])]
        if isinstance(block.get("accessory"), dict):
            candidates.append(block["accessory"])
        for candidate in candidates:
            if candidate.get("type") == "image" and candidate.get("image_url"):
                yield str(candidate["image_url"]), "image"
