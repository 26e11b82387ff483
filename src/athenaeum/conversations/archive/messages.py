"""Messages and reactions as they stand now, whatever order the events came in; the tenant is the session's.

Every write may be repeated and may come early: the newest by Slack's own time wins, never the last to arrive, and a
deleted message never comes back. What a message said before is kept beside it, until it is deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, String, Table, bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.archive import eventlog, reactions
from athenaeum.database.models import SlackMessage, SlackMessageVersion
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.slack.incoming import Payload, moment

_TABLE = cast("Table", SlackMessage.__table__)
_VERSIONS = cast("Table", SlackMessageVersion.__table__)

UNINDEXED = "athenaeum_unindexed"
"""NOTIFY channel: the id of a tenant that has messages to be indexed, and of the oldest where that is known."""


@dataclass(frozen=True, slots=True)
class File:
    """What is known of an attached file without opening it."""

    name: str
    id: str = ""
    mimetype: str = ""
    size: int = 0
    url_private: str = ""
    """Opened by the bot's token alone; without one itself."""


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
    files: tuple[File, ...] = ()
    changed_at: datetime | None = None
    """When Slack told of this version, as `message_changed` events say; decides between edits of one second."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as the archive holds it after a write."""

    text: str
    is_deleted: bool


def at(channel: ChannelId, *stamps: MessageTs) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the messages with these ids.

    The time is said in the id, and leads TimescaleDB to its week: to plan for 500 of them takes 0.2 s.
    """
    here, moments = SlackMessage.channel_id == channel, [moment(ts) for ts in stamps]
    return here, SlackMessage.ts.in_(stamps), SlackMessage.sent_at.in_(moments)


def read_message(raw: Mapping[str, Any], channel: ChannelId, *, changed_at: datetime | None = None) -> Message:
    """A message of Slack's API or of an event; `changed_at` as in `Message`.

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
        edited_at=moment(edited_ts) if edited_ts else None,
        files=tuple(read_file(file) for file in message.children("files") if file.text("mode") != "tombstone"),
        changed_at=changed_at,
    )


def read_file(file: Payload) -> File:
    """A file as a message or `files.info` tells it."""
    size = file.fields.get("size")
    return File(
        name=file.text("title") or file.text("name"),
        id=file.text("id"),
        mimetype=file.text("mimetype"),
        size=size if isinstance(size, int) else 0,
        url_private=file.text("url_private").partition("?")[0],  # in exports a token follows
    )


def version(row: str) -> tuple[str, ...]:
    """What decides which of two versions is newer, as SQL; the words come last, so that there is always one."""
    return (
        f"coalesce({row}.edited_at, '-infinity')",
        f"coalesce({row}.changed_at, {row}.sent_at)",
        f"{row}.text",
        f"{row}.metadata",
    )


COLUMNS = (
    "channel_id",
    "ts",
    "sent_at",
    "thread_ts",
    "user_id",
    "bot_id",
    "subtype",
    "text",
    "edited_at",
    "changed_at",
    "metadata",
)
"""What a message fills."""
CONSTANT = ("thread_ts", "user_id", "bot_id", "subtype")
"""Which of two is told first is chance; where they differ, the greater is taken."""
_NEWER = f"({', '.join(version('excluded'))}) > ({', '.join(version('old'))})"
_REWORDED = "(excluded.text <> old.text OR excluded.metadata <> old.metadata)"
_SET = ", ".join(
    [
        *(
            f"{name} = CASE WHEN {_NEWER} THEN excluded.{name} ELSE old.{name} END"
            for name in ("text", "edited_at", "changed_at", "metadata")
        ),
        *(f"{name} = greatest(old.{name}, excluded.{name})" for name in CONSTANT),
        f"indexed_at = CASE WHEN {_NEWER} AND {_REWORDED} THEN NULL ELSE old.indexed_at END",
    ]
)
MERGED = f"ON CONFLICT (tenant_id, channel_id, ts, sent_at) DO UPDATE SET {_SET} WHERE old.deleted_at IS NULL"
"""What an INSERT into `slack_messages AS old` does where the message, or a version of it, is stored already."""
_GREATER = " OR ".join(f"greatest(old.{name}, excluded.{name}) IS DISTINCT FROM old.{name}" for name in CONSTANT)
CHANGES = f"({_NEWER} OR {_GREATER})"
"""Whether that changes anything."""

_SINCE = bindparam("since", type_=String)
_NOTIFY = func.pg_notify(UNINDEXED, func.concat_ws(" ", func.athenaeum_tenant(), _SINCE))
# announced at once: a statement less for every event
_RECORD = text(f"""
    INSERT INTO slack_messages AS old (tenant_id, {", ".join(COLUMNS)})
    VALUES (athenaeum_tenant(), {", ".join(f":{name}" for name in COLUMNS)})
    {MERGED}
    RETURNING text, edited_at, pg_notify('{UNINDEXED}', athenaeum_tenant() || ' ' || ts)
""").bindparams(bindparam("metadata", type_=JSONB))  # noqa: S608 - our own words; values are parameters
_ANNOUNCE = select(_NOTIFY)
_KEEP = insert(_VERSIONS).values(tenant_id=func.athenaeum_tenant()).on_conflict_do_nothing()


async def record(session: AsyncSession, message: Message) -> Stored:
    """Store a new message or a version of one; gives what is stored now."""
    stored = (await session.execute(_RECORD, row(message))).one_or_none()
    if stored is None:  # a tombstone takes no update
        return Stored(text="", is_deleted=True)
    is_old = (stored.text, stored.edited_at) != (message.text, message.edited_at)
    if is_old and message.bot is None:  # it came after a newer one
        await session.execute(_KEEP, _old_version(message))
    return Stored(text=stored.text, is_deleted=False)


def row(message: Message) -> dict[str, Any]:
    """The columns that a message fills."""
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
        "changed_at": message.changed_at,
        "metadata": {"files": [_told(file) for file in message.files]} if message.files else {},
    }


def _told(file: File) -> dict[str, Any]:
    return {name: value for name, value in asdict(file).items() if value}


def _old_version(message: Message) -> dict[str, Any]:
    return {
        "channel_id": message.channel,
        "ts": message.ts,
        "written_at": message.edited_at or message.sent_at,
        "digest": hashlib.md5(message.text.encode(), usedforsecurity=False).hexdigest(),
        "text": message.text,
    }


async def erase(session: AsyncSession, channel: ChannelId, ts: MessageTs, *, at: datetime | None = None) -> None:
    """Leave a tombstone without a word in it, also for a message that has not arrived yet.

    `at` is Slack's time of the deletion; where it is not told, the message's own.
    """
    at = at or moment(ts)
    nothing = dict.fromkeys(("thread_ts", "user_id", "bot_id", "subtype", "edited_at", "changed_at", "indexed_at"))
    gone: dict[str, Any] = {"text": "", "deleted_at": at, "metadata": {}, **nothing}
    statement = insert(_TABLE).values(
        tenant_id=func.athenaeum_tenant(), channel_id=channel, ts=ts, sent_at=moment(ts), **gone
    )
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "channel_id", "ts", "sent_at"],
        set_=gone,
        where=_TABLE.c.deleted_at.is_(None) | (_TABLE.c.deleted_at > at),
    )
    await session.execute(statement)
    # after it, under the lock of its row: who wrote before has committed, who writes now will find the tombstone
    await bury(session, channel, ts)
    await announce(session, since=ts)


async def bury(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> None:
    """Take away all that is still kept of a message whose tombstone stands."""
    here = (SlackMessageVersion.channel_id == channel, SlackMessageVersion.ts == ts)
    await session.execute(delete(SlackMessageVersion).where(*here))
    await reactions.forget(session, channel, ts)
    await eventlog.blank(session, channel, ts)


async def announce(session: AsyncSession, *, since: MessageTs | None = None) -> None:
    """Wake the indexer when this transaction commits; None leaves it to find the oldest that waits."""
    await session.execute(_ANNOUNCE, {"since": since})


async def versions(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> Sequence[SlackMessageVersion]:
    """What a person's message said before it says what it says now, oldest first."""
    here = (SlackMessageVersion.channel_id == channel, SlackMessageVersion.ts == ts)
    statement = select(SlackMessageVersion).where(*here).order_by(SlackMessageVersion.written_at)
    return (await session.scalars(statement)).all()
