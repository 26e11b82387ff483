"""A channel's history from where it was read to: what no event told, threads, edits and reactions included.

Messages that are still fresh are told to `hear`, which takes them in as if their event had come; older ones are only
stored. Nothing is lost when it ends in the middle: the watermark moves last.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select

from athenaeum.conversations.archive import bulk, channels
from athenaeum.conversations.archive.channels import Channel
from athenaeum.conversations.archive.messages import at
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.models import SlackMessage
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, MessageTs, TenantId
from athenaeum.slack.client import SlackClient
from athenaeum.slack.incoming import Malformed, Payload, moment

log = structlog.get_logger(__name__)

FIRST = 1000
"""Messages read of a channel that was never read, the newest; `slack backfill` reads all."""
FRESH = timedelta(minutes=10)
"""How old a message may be and still be answered: whoever asked has not given up yet."""
_LOOK_BACK = timedelta(days=7)  # roots of threads this old are looked at for new replies, and for edits
_LOOK_BACK_MESSAGES = 200

Hear = Callable[[TenantId, ChannelId, ChannelKind, Mapping[str, Any]], Awaitable[None]]
"""Takes a message in as if its event had come."""


@dataclass(frozen=True, slots=True)
class HistorySource:
    """Whose history is read, and who hears what is fresh in it; nobody when `hear` is None."""

    database: DatabaseConnection
    client: SlackClient
    tenant: TenantId
    hear: Hear | None = None


async def read_history(source: HistorySource, channel: Channel) -> int:
    """Read a channel's history from its watermark on; the number of messages that are new to the archive."""
    async with source.database.session(source.tenant) as session:
        read_to = await channels.history_read_to(session, channel.channel_id)
    gap = _Gap(source, channel, read_to)
    await gap.close()
    return gap.new


@dataclass(slots=True)
class _Gap:
    source: HistorySource
    channel: Channel
    read_to: MessageTs | None
    new: int = 0
    newest: MessageTs | None = None
    threads: list[MessageTs] = field(default_factory=list[MessageTs])
    fresh: dict[MessageTs, Mapping[str, Any]] = field(default_factory=dict[MessageTs, Mapping[str, Any]])

    async def close(self) -> None:
        horizon = datetime.now(UTC) - FRESH
        async for page in self._pages():
            await self._take(page, horizon)
            self._note_threads(page)
        for thread in self.threads:
            replies = self.source.client.reply_pages(self.channel.channel_id, thread, after=self.read_to)
            async for page in replies:
                await self._take(page, horizon)
        for _, raw in sorted(self.fresh.items()):
            assert self.source.hear is not None
            await self.source.hear(self.source.tenant, self.channel.channel_id, self.channel.kind, raw)
        self.new += len(self.fresh)
        async with self.source.database.session(self.source.tenant) as session:
            await channels.note_history(session, self.channel.channel_id, self.newest)

    async def _pages(self) -> AsyncIterator[list[dict[str, Any]]]:
        """The pages from the newest down to what was read, and a little further."""
        client, read, past = self.source.client, 0, 0
        async for page in client.history_pages(self.channel.channel_id, after=_before(self.read_to)):
            if self.newest is None:
                # of the first page alone: on later ones a thread may have grown beyond what the first one saw
                self.newest = max((_newest(raw) for raw in page), default=None)
            yield page
            read += len(page)
            past += sum(self.read_to is not None and str(raw.get("ts")) <= self.read_to for raw in page)
            if self.read_to is None and read >= FIRST:
                return
            if past >= (1 if client.is_clamped else _LOOK_BACK_MESSAGES):
                return

    def _note_threads(self, page: Sequence[Mapping[str, Any]]) -> None:
        for raw in dated(page):
            if raw.get("reply_count") and (self.read_to is None or _newest(raw) > self.read_to):
                self.threads.append(MessageTs(str(raw["ts"])))

    async def _take(self, page: Sequence[Mapping[str, Any]], horizon: datetime) -> None:
        batch, fresh = bulk.MessageBatch(), dict[MessageTs, Mapping[str, Any]]()
        for raw in page:
            try:
                ts = Payload.of(raw).ts()
                if self.source.hear is not None and moment(ts) > horizon:
                    fresh[ts] = raw
                else:
                    batch.take(raw, self.channel.channel_id)
            except Malformed as error:
                log.warning("history.unreadable", channel=self.channel.channel_id, error=str(error))
        async with self.source.database.session(self.source.tenant) as session:
            here = at(self.channel.channel_id, *fresh)
            for ts in await session.scalars(select(SlackMessage.ts).where(*here)) if fresh else ():
                batch.take(fresh.pop(MessageTs(ts)), self.channel.channel_id)  # its event came
            merged = await bulk.store(session, batch)
        self.new += merged.new
        self.fresh |= fresh


def dated(page: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The messages of a page whose ts can be read: of the others nobody can say where they stand."""
    return [raw for raw in page if _is_dated(raw)]


def _is_dated(raw: Mapping[str, Any]) -> bool:
    try:
        Payload.of(raw).ts()
    except Malformed:
        return False
    return True


def _newest(raw: Mapping[str, Any]) -> MessageTs:
    """The latest that a message of a history tells of: itself, or the last reply to it."""
    return MessageTs(max(str(raw.get("ts") or ""), str(raw.get("latest_reply") or "")))


def _before(ts: MessageTs | None) -> MessageTs | None:
    if ts is None:
        return None
    seconds, _, fraction = ts.partition(".")
    return MessageTs(f"{max(0, int(seconds) - int(_LOOK_BACK.total_seconds()))}.{fraction}")
