"""All that was ever said, from Slack's API: channel by channel from the newest down, then thread by thread.

What was reached is noted with every page, in its transaction, by the ts of its last message: a cursor of Slack's may
have expired when a killed backfill goes on. What is still fresh is left to those who answer it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.archive import bulk, channels
from athenaeum.conversations.archive.channels import read_channel
from athenaeum.conversations.sync.gaps import FRESH, dated
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, MessageTs, TenantId
from athenaeum.errors import Refused
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import MissingScope
from athenaeum.slack.incoming import Malformed

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class BackfillReport:
    """What a backfill has come to."""

    channels: int = 0
    """Conversations that were read to their beginning, now or before."""
    known: int = 0
    """Those of them that were read before."""
    threads: int = 0
    messages: int = 0
    new: int = 0
    changed: int = 0
    is_clamped: bool = False
    """Slack gives this app 15 messages of history a minute: an export is far quicker."""
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """Conversations that Slack does not let us read, and why."""


OnPage = Callable[[BackfillReport, int, str], None]
"""Is told the report so far, of how many conversations, and the name of the one at hand."""


async def backfill(
    database: DatabaseConnection, client: SlackClient, tenant: TenantId, *, on_page: OnPage | None = None
) -> BackfillReport:
    """Read every conversation that the bot is in to its beginning; begun again it goes on where it was."""
    listed = [raw async for raw in client.channels() if raw.get("is_member") is True or _is_direct(raw)]
    work = _Backfill(database, client, tenant)
    for raw in listed:
        name = str(raw.get("name") or raw.get("id"))

        def tell(name: str = name) -> None:
            work.report.is_clamped = client.is_clamped
            if on_page is not None:
                on_page(work.report, len(listed), name)

        try:
            await work.channel(raw, tell)
        except (Refused, MissingScope, Malformed) as error:
            work.report.refused[name] = str(error)
        tell()
    log.info("backfill.done", tenant=str(tenant), messages=work.report.messages, new=work.report.new)
    return work.report


def _moments(page: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(one["ts"]) for one in dated(page)]


def _is_direct(raw: Mapping[str, Any]) -> bool:
    return read_channel(raw).kind in {ChannelKind.DIRECT, ChannelKind.GROUP}


class _Backfill:
    def __init__(self, database: DatabaseConnection, client: SlackClient, tenant: TenantId) -> None:
        self._database = database
        self._client = client
        self._tenant = tenant
        self.report = BackfillReport()

    async def channel(self, raw: Mapping[str, Any], tell: Callable[[], None]) -> None:
        channel = read_channel(raw)
        place = channel.channel_id
        async with self._database.session(self._tenant) as session:
            if place not in await channels.named(session):
                await channels.save(session, channel)
            reached, finished = await _reached(session, place)
        if finished:
            self.report.known += 1
        else:
            before = reached or MessageTs(f"{(datetime.now(UTC) - FRESH).timestamp():.6f}")
            async for page in self._client.history_pages(place, before=before):
                await self._store(place, page, reached=min(_moments(page), default=None))
                tell()
        for thread, after in await self._open_threads(place):
            async for page in self._client.reply_pages(place, thread, after=after):
                await self._store(place, page, thread=thread, reached=max(_moments(page), default=None))
                tell()
            await self._finish(place, thread)
            self.report.threads += 1
        await self._finish(place, "")
        self.report.channels += 1

    async def _store(
        self, channel: ChannelId, page: Sequence[Mapping[str, Any]], *, reached: str | None, thread: str = ""
    ) -> None:
        batch = bulk.MessageBatch()
        for raw in page:
            try:
                batch.take(raw, channel)
            except Malformed as error:
                log.warning("history.unreadable", channel=channel, error=str(error))
        async with self._database.session(self._tenant) as session:
            merged = await bulk.store(session, batch)
            if threads := [{"channel": channel, "thread": one["ts"]} for one in dated(page) if one.get("reply_count")]:
                await session.execute(_OPEN, threads)
            await session.execute(_REACH, {"channel": channel, "thread": thread, "reached": reached})
        self.report.messages += len(batch)
        self.report.new += merged.new
        self.report.changed += merged.changed

    async def _open_threads(self, channel: ChannelId) -> list[tuple[MessageTs, MessageTs | None]]:
        async with self._database.session(self._tenant) as session:
            return [(row.thread_ts, row.reached) for row in await session.execute(_THREADS, {"channel": channel})]

    async def _finish(self, channel: ChannelId, thread: str) -> None:
        async with self._database.session(self._tenant) as session:
            await session.execute(_FINISH, {"channel": channel, "thread": thread})


async def _reached(session: AsyncSession, channel: ChannelId) -> tuple[MessageTs | None, bool]:
    row = (await session.execute(_REACHED, {"channel": channel})).one_or_none()
    return (None, False) if row is None else (row.reached, row.finished_at is not None)


_REACHED = text("SELECT reached, finished_at FROM slack_backfills WHERE channel_id = :channel AND thread_ts = ''")
_THREADS = text("""
    SELECT thread_ts, reached FROM slack_backfills
    WHERE channel_id = :channel AND thread_ts <> '' AND finished_at IS NULL ORDER BY thread_ts""")
_OPEN = text("""
    INSERT INTO slack_backfills (tenant_id, channel_id, thread_ts) VALUES (athenaeum_tenant(), :channel, :thread)
    ON CONFLICT DO NOTHING""")
_REACH = text("""
    INSERT INTO slack_backfills AS stored (tenant_id, channel_id, thread_ts, reached)
    VALUES (athenaeum_tenant(), :channel, :thread, :reached)
    ON CONFLICT (tenant_id, channel_id, thread_ts) DO UPDATE SET reached = coalesce(excluded.reached, stored.reached)
    """)
_FINISH = text("""
    INSERT INTO slack_backfills AS stored (tenant_id, channel_id, thread_ts, finished_at)
    VALUES (athenaeum_tenant(), :channel, :thread, clock_timestamp())
    ON CONFLICT (tenant_id, channel_id, thread_ts) DO UPDATE SET finished_at = excluded.finished_at
    WHERE stored.finished_at IS NULL""")
