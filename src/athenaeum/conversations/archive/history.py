"""Conversations as lines that a model or a person reads; the tenant is the session's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.archive import people
from athenaeum.conversations.archive.messages import at
from athenaeum.conversations.archive.mrkdwn import mentioned, plain
from athenaeum.database.models import SlackMessage
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.slack.incoming import moment

SAID = ("file_share", "thread_broadcast", "me_message", "bot_message")
"""Subtypes under which somebody said something; any other tells of a join, a topic, a pin."""

_STANDING = (or_(SlackMessage.subtype.is_(None), SlackMessage.subtype.in_(SAID)), SlackMessage.deleted_at.is_(None))

_LATELY = timedelta(days=60)
"""Where most of what is asked for stands; a hypertable's older weeks are looked into only for the rest."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message: who said what, mentions and links in plain words."""

    author_id: UserId | None
    author_name: str
    is_bot: bool
    text: str
    ts: MessageTs
    sent_at: datetime


async def thread(
    session: AsyncSession,
    channel: ChannelId,
    thread_ts: MessageTs,
    limit: int = 50,
    *,
    before: MessageTs | None = None,
) -> list[Line]:
    """A thread's root and its last replies, or the last before a message; at most `limit` of all, oldest first."""
    root = await _rows(session, at(channel, thread_ts), 1)
    replies = (
        SlackMessage.channel_id == channel,
        SlackMessage.thread_ts == thread_ts,
        SlackMessage.sent_at > moment(thread_ts),
        true() if before is None else SlackMessage.sent_at < moment(before),
    )
    return await _lines(session, [*root, *await _rows(session, replies, limit - len(root))])


async def message(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> list[Line]:
    """One message, if it is known and stands."""
    return await _lines(session, await _rows(session, at(channel, ts), limit=1))


async def recent(session: AsyncSession, channel: ChannelId, before: MessageTs, limit: int = 20) -> list[Line]:
    """What was said in the channel itself, not in threads, just before a message, oldest first."""
    top_level = or_(
        SlackMessage.thread_ts.is_(None),
        SlackMessage.thread_ts == SlackMessage.ts,
        SlackMessage.subtype == "thread_broadcast",
    )
    wanted = (SlackMessage.channel_id == channel, SlackMessage.sent_at < moment(before), top_level)
    lately = SlackMessage.sent_at >= moment(before) - _LATELY
    rows = await _rows(session, (*wanted, lately), limit)
    if len(rows) < limit:
        rows = [*await _rows(session, (*wanted, ~lately), limit - len(rows)), *rows]
    return await _lines(session, rows)


async def reply_counts(session: AsyncSession, channel: ChannelId, roots: Sequence[MessageTs]) -> dict[MessageTs, int]:
    """How many replies the threads of these messages have; those without any are left out."""
    if not roots:
        return {}
    statement = (
        select(SlackMessage.thread_ts, func.count())
        .where(SlackMessage.channel_id == channel, SlackMessage.thread_ts.in_(roots))
        .where(SlackMessage.sent_at > min(map(moment, roots)), SlackMessage.thread_ts != SlackMessage.ts, *_STANDING)
        .group_by(SlackMessage.thread_ts)
    )
    return {MessageTs(root): count for root, count in await session.execute(statement) if root is not None}


async def _rows(session: AsyncSession, wanted: tuple[ColumnElement[bool], ...], limit: int) -> Sequence[SlackMessage]:
    statement = select(SlackMessage).where(*wanted, *_STANDING)
    newest = await session.scalars(statement.order_by(SlackMessage.sent_at.desc()).limit(max(limit, 0)))
    return newest.all()[::-1]


async def _lines(session: AsyncSession, rows: Sequence[SlackMessage]) -> list[Line]:
    authors = {UserId(row.user_id) for row in rows if row.user_id}
    names = await people.names(session, authors | mentioned(row.text for row in rows))
    return [_line(row, names) for row in rows]


def _line(row: SlackMessage, names: dict[UserId, str]) -> Line:
    author = UserId(row.user_id) if row.user_id else None
    text = plain(row.text, names)
    if files := row.metadata_.get("files"):
        text = f"{text}\n[files: {', '.join(file.get('name', 'unnamed') for file in files)}]".strip()
    return Line(
        author_id=author,
        author_name=names.get(author, author) if author else "a bot",
        is_bot=row.bot_id is not None or row.subtype == "bot_message",
        text=text,
        ts=MessageTs(row.ts),
        sent_at=row.sent_at,
    )
