"""The archive made again from the log of what Slack told, a channel in a transaction.

Events may be stored meanwhile: whatever the order, the outcome is the same, so nothing is held back but edits of the
channel at hand. What the log does not know stays as it is: messages of a release that kept no log, and tombstones,
which nothing takes back. Who may read is no part of it, as that is asked of Slack.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations import archive
from athenaeum.conversations.archive import bulk, channels, eventlog, people, reactions
from athenaeum.conversations.archive.reactions import Reaction
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.models import SlackEvent, SlackMessage
from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.domain.tenant import Tenant
from athenaeum.gateway.changes import Archived, Change, Met, Reacted, Removed, Renamed, Written
from athenaeum.gateway.envelope import read_envelope
from athenaeum.gateway.normalize import normalize_event
from athenaeum.gateway.redirection import redirected
from athenaeum.slack.incoming import Malformed

log = structlog.get_logger(__name__)

_BATCH = 500  # events, or pages of history, read at a time

OnProgress = Callable[[int, int], None]
"""Told how many of how many events have been played."""


@dataclass(slots=True)
class Rebuilt:
    """What was played again."""

    channels: int = 0
    events: int = 0
    unreadable: int = 0
    """Events that this release does not understand; they stay in the log."""


async def rebuild(database: DatabaseConnection, tenant: Tenant, on_progress: OnProgress) -> Rebuilt:
    """Empty a tenant's messages, their versions and reactions, and play the log again."""
    async with database.session(tenant.id) as session:
        total = await session.scalar(select(func.count()).select_from(SlackEvent)) or 0
        told = list(await session.scalars(select(SlackEvent.channel_id).distinct()))
    rebuilt = Rebuilt()
    for channel in sorted(told, key=str):
        async with database.session(tenant.id) as session:
            replay = _Replay(session, tenant, ChannelId(channel) if channel else None, rebuilt)
            await replay.run(lambda: on_progress(rebuilt.events, total))
        rebuilt.channels += channel is not None
    log.info("archive.rebuilt", tenant=str(tenant.id), channels=rebuilt.channels, events=rebuilt.events)
    return rebuilt


class _Replay:
    """One channel, or what was told of none."""

    def __init__(self, session: AsyncSession, tenant: Tenant, channel: ChannelId | None, rebuilt: Rebuilt) -> None:
        self._session = session
        self._tenant = tenant
        self._channel = channel
        self._rebuilt = rebuilt
        self._graves: set[str] = set()

    async def run(self, on_batch: Callable[[], None]) -> None:
        if self._channel is not None:
            await self._run(_SET_ASIDE)
            buried = select(SlackMessage.ts).where(SlackMessage.channel_id == self._channel)
            self._graves = set(await self._session.scalars(buried))
        # read after the emptying: what is committed later has found nothing to take away
        async for events in self._told():
            await self._play(events)
            on_batch()
        if self._channel is not None:
            await self._run(_PUT_BACK)
            await archive.announce(self._session)

    async def _run(self, statements: Sequence[str]) -> None:
        for statement in statements:
            await self._session.execute(text(statement), {"channel": self._channel} if ":channel" in statement else {})

    async def _told(self) -> AsyncIterator[Sequence[SlackEvent]]:
        here = SlackEvent.channel_id.is_not_distinct_from(self._channel)
        ids = list(
            await self._session.scalars(select(SlackEvent.event_id).where(here).order_by(SlackEvent.received_at))
        )
        for start in range(0, len(ids), _BATCH):
            wanted = select(SlackEvent).where(SlackEvent.event_id.in_(ids[start : start + _BATCH]))
            yield (await self._session.scalars(wanted.order_by(SlackEvent.received_at))).all()
            self._session.expunge_all()

    async def _play(self, events: Sequence[SlackEvent]) -> None:
        batch, after = bulk.MessageBatch(), list[Change]()
        for event in events:
            self._rebuilt.events += 1
            try:
                if event.type == eventlog.HISTORY and self._channel is not None:
                    for raw in event.payload["messages"]:
                        batch.take(raw, self._channel)
                    continue
                change = normalize_event(read_envelope(event.payload), self._tenant.bot_user)
            except Malformed as error:
                self._rebuilt.unreadable += 1
                log.warning("event.unreadable", event_id=event.event_id, error=str(error))
                continue
            change = change if self._channel is None else redirected(change, self._channel)
            if isinstance(change, Written):
                batch.messages.append(change.message)
            else:
                after.append(change)
        if batch.messages:
            await bulk.merge(self._session, batch)
        for change in after:
            await self._apply(change)

    async def _apply(self, change: Change) -> None:
        match change:
            case Removed(channel, ts, at) if ts not in self._graves:
                await archive.erase(self._session, channel, MessageTs(ts), at=at)
                self._graves.add(ts)
            case Reacted(channel, ts, user, name, added, at):
                await reactions.store(self._session, channel, ts, Reaction(user, name), at=at, added=added)
            case Met(person):
                await people.save(self._session, [person])
            case Renamed(channel, name, at):
                await channels.rename(self._session, channel, name, at=at)
            case Archived(channel, archived, at):
                await channels.archive(self._session, channel, archived=archived, at=at)
            case _:  # what only said that Slack should be asked
                pass


_KEPT = ("slack_messages", "slack_message_versions", "slack_reactions")
_SET_ASIDE = (
    *(f"CREATE TEMPORARY TABLE old_{table} ON COMMIT DROP AS SELECT * FROM {table} WHERE channel_id = :channel"  # noqa: S608 - our own words
      for table in _KEPT),
    "DELETE FROM slack_reactions WHERE channel_id = :channel",
    "DELETE FROM slack_message_versions WHERE channel_id = :channel",
    "DELETE FROM slack_messages WHERE channel_id = :channel AND deleted_at IS NULL",
)  # fmt: skip
# a message of which the log knows nothing comes back with all that belongs to it
_UNKNOWN = """old.channel_id = :channel AND old.ts IN (
    SELECT ts FROM old_slack_messages AS gone WHERE deleted_at IS NULL AND NOT EXISTS (
        SELECT FROM slack_messages WHERE channel_id = :channel AND ts = gone.ts AND sent_at = gone.sent_at))"""
_PUT_BACK = (
    *(f"INSERT INTO {table} SELECT old.* FROM old_{table} AS old WHERE {_UNKNOWN} ON CONFLICT DO NOTHING"  # noqa: S608 - our own words
      for table in reversed(_KEPT)),
    # what says what it said before is in the index already
    """
    UPDATE slack_messages AS message SET indexed_at = old.indexed_at FROM old_slack_messages AS old
    WHERE message.channel_id = :channel AND old.ts = message.ts AND old.sent_at = message.sent_at
      AND old.text = message.text AND old.metadata = message.metadata""",
    *(f"DROP TABLE old_{table}" for table in _KEPT),
)  # fmt: skip
