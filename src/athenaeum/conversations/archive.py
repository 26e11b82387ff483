"""Messages and reactions as they stand now, whatever order the events came in; the tenant is the session's.

Every write may be repeated and may come early: an edit or a deletion that overtakes its message is kept,
the newest edit wins, and a deleted message never comes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import String, Table, case, delete, func, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.models import SlackMessage, SlackReaction
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.slack.incoming import Payload, moment

_TABLE = cast("Table", SlackMessage.__table__)

UNINDEXED = "athenaeum_messages"
"""NOTIFY channel: the payload is the id of a tenant that has messages to be indexed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One version of a message, its text as Slack wrote it, with its markup."""

    channel: ChannelId
    ts: MessageTs
    sent_at: datetime
    thread_ts: MessageTs | None
    user: UserId | None
    bot: str | None
    subtype: str | None
    text: str
    edited_at: datetime | None
    files: tuple[str, ...] = ()
    """Names of the attached files."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the archive holds it after a write."""

    text: str
    is_deleted: bool


def read_message(raw: Mapping[str, Any], channel: ChannelId, *, version: datetime | None = None) -> Message:
    """A message of Slack's API or of an event; `version` dates an edit that does not date itself.

    Raises:
        Malformed: it has no timestamp, or an id that is none.
    """
    message = Payload.of(raw)
    ts = message.ts()
    edited = message.child("edited")
    edited_ts = edited.optional_ts("ts") if edited else None
    user = message.optional_identifier("user")
    return Message(
        channel=channel,
        ts=ts,
        sent_at=moment(ts),
        thread_ts=message.optional_ts("thread_ts"),
        user=UserId(user) if user else None,
        bot=message.optional_identifier("bot_id"),
        subtype=message.text("subtype") or None,
        text=message.text("text"),
        edited_at=moment(edited_ts) if edited_ts else version,
        files=tuple(file.text("title") or file.text("name") for file in message.children("files")),
    )


def _upsert() -> Insert:
    statement = insert(_TABLE).values(tenant_id=func.athenaeum_tenant())
    new, old = statement.excluded, _TABLE.c
    newer = new.edited_at > func.coalesce(old.edited_at, literal("-infinity", String).cast(old.edited_at.type))
    rewritten = newer & (new.text != old.text)
    return statement.on_conflict_do_update(
        index_elements=["tenant_id", "channel_id", "ts", "sent_at"],
        set_={
            "text": case((newer, new.text), else_=old.text),
            "edited_at": func.greatest(old.edited_at, new.edited_at),
            "thread_ts": func.coalesce(old.thread_ts, new.thread_ts),
            "user_id": func.coalesce(old.user_id, new.user_id),
            "bot_id": func.coalesce(old.bot_id, new.bot_id),
            "subtype": func.coalesce(old.subtype, new.subtype),
            "metadata": old.metadata.op("||")(new.metadata),
            "indexed_at": case((rewritten, None), else_=old.indexed_at),
        },
        where=old.deleted_at.is_(None),
    )


# put together once: that takes longer than running it
_RECORD_MANY = _upsert()
_RECORD = _RECORD_MANY.returning(_TABLE.c.text)
_ANNOUNCE = select(func.pg_notify(UNINDEXED, func.athenaeum_tenant().cast(String)))


async def record(session: AsyncSession, message: Message) -> Stored:
    """Store a new message or a newer version of one; gives what is stored now."""
    text = (await session.execute(_RECORD, _row(message))).scalar_one_or_none()
    if text is None:  # a tombstone takes no update
        return Stored(text="", is_deleted=True)
    await announce(session)
    return Stored(text=text, is_deleted=False)


async def record_many(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Store a page of history."""
    if messages:
        await session.execute(_RECORD_MANY, [_row(message) for message in messages])
        await announce(session)


def _row(message: Message) -> dict[str, Any]:
    return {
        "channel_id": message.channel,
        "ts": message.ts,
        "sent_at": message.sent_at,
        "thread_ts": message.thread_ts,
        "user_id": message.user,
        "bot_id": message.bot,
        "subtype": message.subtype,
        "text": message.text,
        "edited_at": message.edited_at,
        "metadata": {"files": list(message.files)} if message.files else {},
    }


async def erase(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> None:
    """Leave a tombstone without a word in it, also for a message that has not arrived yet."""
    gone: dict[str, Any] = {"text": "", "deleted_at": func.clock_timestamp(), "metadata": {}, "indexed_at": None}
    statement = insert(_TABLE).values(
        tenant_id=func.athenaeum_tenant(), channel_id=channel, ts=ts, sent_at=moment(ts), **gone
    )
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "channel_id", "ts", "sent_at"],
        set_=gone,
        where=SlackMessage.deleted_at.is_(None),
    )
    await session.execute(statement)
    await session.execute(delete(SlackReaction).where(SlackReaction.channel_id == channel, SlackReaction.ts == ts))
    await announce(session)


async def announce(session: AsyncSession) -> None:
    """Wake the indexer when this transaction commits."""
    await session.execute(_ANNOUNCE)


async def react(session: AsyncSession, channel: ChannelId, ts: MessageTs, *, user: UserId, name: str) -> None:
    """Somebody reacted to a message."""
    statement = insert(SlackReaction).values(
        tenant_id=func.athenaeum_tenant(), channel_id=channel, ts=ts, user_id=user, name=name
    )
    await session.execute(statement.on_conflict_do_nothing())


async def unreact(session: AsyncSession, channel: ChannelId, ts: MessageTs, *, user: UserId, name: str) -> None:
    """Somebody took a reaction back."""
    mine = (SlackReaction.channel_id == channel, SlackReaction.ts == ts, SlackReaction.user_id == user)
    await session.execute(delete(SlackReaction).where(*mine, SlackReaction.name == name))
