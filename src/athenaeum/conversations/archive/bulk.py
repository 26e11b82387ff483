"""Messages by the thousand, for imports and histories: copied beside the archive, then merged into it set by set.

The rules are those of `messages.record` and `messages.erase`: the newest edit wins, a deleted message never comes back,
a reaction that was taken back stays away, and what is stored twice changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.archive import eventlog, messages
from athenaeum.conversations.archive.eventlog import LoggedMessage
from athenaeum.conversations.archive.messages import Message, read_message
from athenaeum.conversations.archive.reactions import Reaction
from athenaeum.database.connection import wire
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.slack.incoming import Payload, moment


@dataclass(frozen=True, slots=True, order=True)
class Erasure:
    """A message that was deleted, at a time of Slack's."""

    channel: ChannelId
    ts: MessageTs
    at: datetime


@dataclass(slots=True)
class MessageBatch:
    """What goes into the archive together."""

    messages: list[Message] = field(default_factory=list[Message])
    reactions: list[tuple[Message, Reaction]] = field(default_factory=list[tuple[Message, Reaction]])
    erased: list[Erasure] = field(default_factory=list[Erasure])
    pages: dict[ChannelId, list[LoggedMessage]] = field(default_factory=dict[ChannelId, list[LoggedMessage]])
    """The messages as they came, for the log."""

    def __len__(self) -> int:
        """Messages and tombstones."""
        return len(self.messages) + len(self.erased)

    def take(self, raw: Mapping[str, Any], channel: ChannelId) -> Message | None:
        """Add a message as a history or an export has it; None for what is not one: a deletion, a thread's growth.

        Raises:
            Malformed: it has no timestamp, or an id that is none.
        """
        record = Payload.of(raw)
        subtype = record.text("subtype")
        if subtype == "message_replied":
            return None
        if subtype == "message_deleted":
            self.erased.append(Erasure(channel, record.ts("deleted_ts"), moment(record.ts())))
            return None
        if subtype == "message_changed" and (inner := record.child("message")) is not None:
            record = inner
        if record.text("subtype") == "tombstone":  # it does not say when; the earliest time stands for any
            self.erased.append(Erasure(channel, record.ts(), moment(record.ts())))
            return None
        message = read_message(record.fields, channel)
        self.messages.append(message)
        self.pages.setdefault(channel, []).append(LoggedMessage.of(_lean(record.fields)))
        for reaction in record.children("reactions"):
            users = reaction.fields.get("users")
            self._react(message, reaction.text("name"), users if isinstance(users, list) else [])
        return message

    def _react(self, message: Message, name: str, users: Iterable[object]) -> None:
        told = [Payload({"user": user}).optional_identifier("user") for user in users]
        self.reactions += [(message, Reaction(UserId(user), name)) for user in told if user and name]


@dataclass(frozen=True, slots=True)
class Merged:
    """What a batch has changed."""

    new: int
    changed: int
    touched: Mapping[str, frozenset[str]]
    """By channel the ts of the messages that are new or changed."""


async def store(session: AsyncSession, batch: MessageBatch) -> Merged:
    """Put a batch into the archive of the session's tenant, and into the log it is made from; the caller commits."""
    merged = await merge(session, batch)
    for channel, page in batch.pages.items():
        touched = merged.touched.get(channel, frozenset())
        await eventlog.append_page(session, channel, [message for message in page if message.ts in touched])
    return merged


async def merge(session: AsyncSession, batch: MessageBatch) -> Merged:
    """Put a batch into the archive alone."""
    await session.execute(_STAGE)
    await session.execute(_STAGE_REACTIONS)
    driver = await wire(session)
    await _copy(driver, _COPY, map(_row, batch.messages))
    if batch.reactions:
        reactions = ((to.channel, to.ts, to.sent_at, one.user, one.name) for to, one in batch.reactions)
        await _copy(driver, _COPY_REACTIONS, reactions)
    moments = [message.sent_at for message in batch.messages]
    period = {"first": min(moments, default=None), "last": max(moments, default=None)}
    staged, known = (await session.execute(_COUNT, period)).one()
    touched = {row.channel_id: frozenset(row.stamps) for row in await session.execute(_MERGE)}
    if known or staged < len(batch.messages):
        await session.execute(_KEEP_VERSIONS, period)
    if batch.reactions:
        await session.execute(_REACT, period)
    await session.execute(_CLEAR)
    for erasure in sorted(batch.erased):
        await messages.erase(session, erasure.channel, erasure.ts, at=erasure.at)
    if touched:
        await messages.announce(session, since=MessageTs(min(map(min, touched.values()))))
    new = staged - known
    return Merged(new=new, changed=sum(map(len, touched.values())) - new, touched=touched)


_RIDERS = ("blocks", "user_profile", "bot_profile", "icons", "reply_users", "replies", "root")
"""What repeats the words or tells of others: two thirds of what Slack gives, and of no use here."""


def _lean(raw: Mapping[str, Any]) -> dict[str, Any]:
    lean = {name: value for name, value in raw.items() if name not in _RIDERS}
    if not raw.get("text") and "blocks" in raw:  # some bots say everything there
        lean["blocks"] = raw["blocks"]
    return lean


async def _copy(driver: AsyncConnection[Any], statement: bytes, rows: Iterable[Sequence[Any]]) -> None:
    async with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            await copy.write_row(row)


def _row(message: Message) -> list[Any]:
    row = messages.row(message)
    return [json.dumps(row[name]) if name == "metadata" else row[name] for name in messages.COLUMNS]


_COLUMNS = ", ".join(messages.COLUMNS)
# COPY takes no table under row-level security; these two are the transaction's own
_STAGE = text("""
    CREATE TEMPORARY TABLE staged_messages (
        channel_id text, ts text, sent_at timestamptz, thread_ts text, user_id text, bot_id text, subtype text,
        text text, edited_at timestamptz, changed_at timestamptz, metadata jsonb
    ) ON COMMIT DROP""")
_STAGE_REACTIONS = text("""
    CREATE TEMPORARY TABLE staged_reactions (
        channel_id text, ts text, sent_at timestamptz, user_id text, name text
    ) ON COMMIT DROP""")
_COPY = f"COPY staged_messages ({_COLUMNS}) FROM STDIN".encode()
_COPY_REACTIONS = b"COPY staged_reactions (channel_id, ts, sent_at, user_id, name) FROM STDIN"
_CLEAR = text("DROP TABLE staged_messages, staged_reactions")
# OFFSET 0 keeps this a look into the index for each row: joined by a hash, a batch would read the whole archive. The
# batch's period leads TimescaleDB to its weeks while it plans.
_STORED = """
    LEFT JOIN LATERAL (
        SELECT true AS known, deleted_at, text, edited_at FROM slack_messages AS message
        WHERE message.channel_id = staged.channel_id AND message.ts = staged.ts AND message.sent_at = staged.sent_at
          AND message.sent_at BETWEEN :first AND :last
        OFFSET 0
    ) AS stored ON true"""
_COUNT = text(f"""
    SELECT count(*), count(stored.known)
    FROM (SELECT DISTINCT channel_id, ts, sent_at FROM staged_messages) AS staged {_STORED}""")  # noqa: S608 - our words


_CHOSEN = ", ".join(
    f"max({name}) OVER (PARTITION BY channel_id, ts) AS {name}" if name in messages.CONSTANT else name
    for name in messages.COLUMNS
)
_NEWEST = ", ".join(f"{part} DESC" for part in messages.version("staged_messages"))
# what would change nothing is not written; the order keeps two importers from locking each other out
_MERGE = text(f"""
    WITH merged AS (
        INSERT INTO slack_messages AS old (tenant_id, {_COLUMNS})
        SELECT DISTINCT ON (channel_id, ts) athenaeum_tenant(), {_CHOSEN} FROM staged_messages
        ORDER BY channel_id, ts, {_NEWEST}
        {messages.MERGED} AND {messages.CHANGES}
        RETURNING channel_id, ts)
    SELECT channel_id, array_agg(ts) AS stamps FROM merged GROUP BY channel_id""")  # noqa: S608 - as above
# `messages.record` keeps a person's older words likewise; those that were stored before, a trigger keeps
_KEEP_VERSIONS = text(f"""
    INSERT INTO slack_message_versions (tenant_id, channel_id, ts, written_at, digest, text)
    SELECT DISTINCT athenaeum_tenant(), channel_id, ts, coalesce(staged.edited_at, sent_at), md5(staged.text),
           staged.text
    FROM staged_messages AS staged {_STORED}
    WHERE stored.known AND stored.deleted_at IS NULL AND bot_id IS NULL
      AND (staged.text, staged.edited_at) IS DISTINCT FROM (stored.text, stored.edited_at)
    ON CONFLICT DO NOTHING""")  # noqa: S608 - as above
# a history does not say since when a reaction stands: whoever took it back did that later
_REACT = text(f"""
    INSERT INTO slack_reactions AS old (tenant_id, channel_id, ts, user_id, name, added_at)
    SELECT DISTINCT athenaeum_tenant(), channel_id, ts, user_id, name, to_timestamp(0)
    FROM staged_reactions AS staged {_STORED}
    WHERE stored.deleted_at IS NULL
    ORDER BY channel_id, ts, user_id, name
    ON CONFLICT (tenant_id, channel_id, ts, user_id, name) DO UPDATE SET added_at = excluded.added_at
    WHERE old.added_at IS NULL""")  # noqa: S608 - as above
