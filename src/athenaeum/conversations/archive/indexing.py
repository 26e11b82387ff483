"""From the archive into the index: what was said becomes passages that an answer may quote."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import exists, or_, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.archive import people
from athenaeum.conversations.archive.history import SAID
from athenaeum.conversations.archive.messages import UNINDEXED
from athenaeum.conversations.archive.mrkdwn import mentioned, mentions, plain
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.models import SlackChannel, SlackMessage, Tenant
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, MessageTs, TenantId, UserId
from athenaeum.domain.passage import Origin
from athenaeum.llm.embeddings import EmbedderUnavailable
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.passages import NewPassage
from athenaeum.slack.incoming import moment
from athenaeum.slack.permalink import permalink

log = structlog.get_logger(__name__)

_BATCH = 200  # messages in a transaction; it holds the tenant's index for some 100 ms
_SWEEP = timedelta(seconds=60)
_SWEEP_UNTOLD = timedelta(seconds=2)  # behind a pooler, where no announcement comes through
_PAUSE = 1.0  # seconds after a fault
_EVER, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_NEAR = timedelta(days=60)
"""How far back more is looked for at first: to plan for 500 chunks of TimescaleDB takes 0.16 s, for these 5 ms."""
_TITLES = {ChannelKind.DIRECT: "Direct message", ChannelKind.GROUP: "Group message"}


async def is_indexed(session: AsyncSession, channel: ChannelId, *, before: MessageTs) -> bool:
    """Whether all that was said in a channel before a message can be found."""
    earlier = (SlackMessage.channel_id == channel, SlackMessage.sent_at < moment(before))
    return not await session.scalar(select(exists().where(*earlier, SlackMessage.indexed_at.is_(None))))


class MessageIndexer:
    """Indexes messages as they are archived, edited and deleted; several processes may run it.

    Not indexed are Slack's notices, the bot's own words (it would quote itself), and what was said to it (a
    question is the best match for itself, and no source). Messages of a channel wait until the channel was read.
    """

    def __init__(self, database: DatabaseConnection, index: Index) -> None:
        """Nothing is opened yet."""
        self._database = database
        self._index = index
        self._stack = AsyncExitStack()
        self._told: dict[TenantId | None, datetime] = {}
        self._stirred = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Index in the background."""
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        self._stack.callback(group.create_task(self.run()).cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.close()

    async def close(self) -> None:
        """Stop; harmless when repeated."""
        await self._stack.aclose()

    async def run(self) -> None:
        """Index whatever is announced, and look for what was not, until cancelled."""
        async with self._database.subscriptions.subscribe(UNINDEXED, self._hear):
            while True:
                self._told.clear()
                try:
                    await self.run_once()
                    await self._follow()
                except (SQLAlchemyError, psycopg.Error, OSError) as error:
                    log.warning("indexing.interrupted", error=type(error).__name__)
                    await asyncio.sleep(_PAUSE)

    async def run_once(self) -> int:
        """Index everything that waits, of all tenants, and give the number of messages looked at."""
        async with self._database.session() as session:
            tenants = list(await session.scalars(select(Tenant.tenant_id)))
        return sum([await self._index_tenant(TenantId(tenant)) for tenant in tenants])

    def _hear(self, said: str | None) -> None:
        tenant, _, ts = (said or "").partition(" ")
        told, since = TenantId(UUID(tenant)) if tenant else None, moment(MessageTs(ts)) if ts else _EVER
        self._told[told] = min(since, self._told.get(told, since))
        self._stirred.set()

    async def _follow(self) -> None:
        """Index what is announced, until something may have been missed, or it is time to look for it."""
        sweep = _SWEEP_UNTOLD if self._database.subscriptions.deaf.is_set() else _SWEEP
        end = asyncio.get_running_loop().time() + sweep.total_seconds()
        while None not in self._told:
            told, self._told = self._told, {}
            for tenant, since in told.items():
                if tenant is not None:
                    await self._index_tenant(tenant, since)
            try:
                async with asyncio.timeout_at(end):
                    await self._stirred.wait()
            except TimeoutError:
                return
            self._stirred.clear()

    async def _index_tenant(self, tenant: TenantId, since: datetime = _EVER) -> int:
        """Index what waits and was said since then, the newest first, until a look at all of it finds no more."""
        total, first, last = 0, since, _LAST
        while True:
            async with self._database.session(tenant) as session:
                if not await session.scalar(_SERIALIZE):
                    return total  # another process is at it
                seen = await _Batch(session, self._index, tenant).file(first, last)
            total += len(seen)
            if len(seen) == _BATCH:
                first, last = max(since, seen[-1] - _NEAR), seen[-1]
            elif first > since:
                first = since
            elif last < _LAST:
                last = _LAST
            else:
                break
        if total:
            try:
                await self._index.embed_missing(tenant)
            except EmbedderUnavailable as error:
                log.warning("indexing.by_words", error=str(error))
        return total


_SERIALIZE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('athenaeum_messages:' || athenaeum_tenant(), 0))")


class _Batch:
    """One transaction's worth of messages."""

    def __init__(self, session: AsyncSession, index: Index, tenant: TenantId) -> None:
        self._session = session
        self._index = index
        self._tenant = tenant

    async def file(self, first: datetime, last: datetime) -> list[datetime]:
        """File those of a period; when they were said, the newest first."""
        rows = await self._waiting(first, last)
        if not rows:
            return []
        us = (await self._session.scalars(select(Tenant))).one()
        asked = await self._asked([message for message, *_ in rows])
        users = {UserId(message.user_id) for message, *_ in rows if message.user_id}
        names = await people.names(self._session, users | mentioned(message.text for message, *_ in rows))
        sources: dict[str, list[NewPassage]] = {}
        for message, channel, kind in rows:
            quotable = (message.channel_id, message.ts) not in asked and _quotable(message, us)
            title = _TITLES.get(ChannelKind(kind)) or f"#{channel}"
            sources[f"slack:{message.channel_id}:{message.ts}"] = (
                [_passage(message, title, us.slack_url, names)] if quotable else []
            )
        await self._index.put_all(self._session, self._tenant, sources, embed=False)
        await self._mark([message for message, *_ in rows])
        return [message.sent_at for message, *_ in rows]

    async def _waiting(self, first: datetime, last: datetime) -> Sequence[tuple[SlackMessage, str, str]]:
        statement = (
            select(SlackMessage, SlackChannel.name, SlackChannel.kind)
            .join(SlackChannel, SlackChannel.channel_id == SlackMessage.channel_id)
            .where(SlackMessage.indexed_at.is_(None), SlackMessage.sent_at.between(first, last))
            .where(or_(SlackChannel.name != "", SlackChannel.kind.in_([kind.value for kind in _TITLES])))
            .order_by(SlackMessage.sent_at.desc())
            .limit(_BATCH)
        )
        return [(row[0], row[1], row[2]) for row in await self._session.execute(statement)]

    async def _asked(self, messages: Sequence[SlackMessage]) -> set[tuple[str, str]]:
        keys = {
            "channels": [message.channel_id for message in messages],
            "stamps": [message.ts for message in messages],
        }
        return {(row.channel_id, row.message_ts) for row in await self._session.execute(_ASKED, keys)}

    async def _mark(self, messages: Sequence[SlackMessage]) -> None:
        seen = {
            "channels": [message.channel_id for message in messages],
            "stamps": [message.ts for message in messages],
            "moments": [message.sent_at for message in messages],
            "texts": [message.text for message in messages],
            "standing": [message.deleted_at is None for message in messages],
            "first": messages[-1].sent_at,
            "last": messages[0].sent_at,
        }
        await self._session.execute(_MARK, seen)


_ASKED = text("""
    SELECT channel_id, message_ts FROM turns
    JOIN unnest(CAST(:channels AS text[]), CAST(:stamps AS text[])) AS seen (channel_id, message_ts)
    USING (channel_id, message_ts)
""")
# an edit or a deletion that came meanwhile leaves its message waiting
_MARK = text("""
    UPDATE slack_messages AS message SET indexed_at = clock_timestamp()
    FROM unnest(CAST(:channels AS text[]), CAST(:stamps AS text[]), CAST(:moments AS timestamptz[]),
                CAST(:texts AS text[]), CAST(:standing AS boolean[]))
         AS seen (channel_id, ts, sent_at, text, standing)
    WHERE message.channel_id = seen.channel_id AND message.ts = seen.ts AND message.sent_at = seen.sent_at
      AND message.sent_at BETWEEN :first AND :last
      AND message.text = seen.text AND (message.deleted_at IS NULL) = seen.standing
""")


def _quotable(message: SlackMessage, us: Tenant) -> bool:
    if message.deleted_at is not None or not message.text.strip():
        return False
    if message.subtype is not None and message.subtype not in SAID:
        return False
    ours = {us.bot_user_id, us.bot_id} - {None}
    if message.user_id in ours or message.bot_id in ours:
        return False
    return us.bot_user_id is None or not mentions(message.text, UserId(us.bot_user_id))


def _passage(message: SlackMessage, title: str, url: str | None, names: dict[UserId, str]) -> NewPassage:
    channel, ts = ChannelId(message.channel_id), MessageTs(message.ts)
    thread = MessageTs(message.thread_ts) if message.thread_ts else None
    return NewPassage(
        origin=Origin.MESSAGE,
        title=title,
        text=plain(message.text, names),
        url=permalink(url, channel, ts, thread) if url else None,
        channel_id=channel,
        written_at=message.sent_at,
        author=names.get(UserId(message.user_id)) if message.user_id else None,
    )
