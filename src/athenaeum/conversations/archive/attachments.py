"""Files that people shared in a conversation, as far as the archive knows them; the tenant is the session's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import and_, or_, select

from athenaeum.conversations.archive import threads
from athenaeum.conversations.archive.messages import File, at
from athenaeum.database.models import SlackMessage, Turn, TurnMessage
from athenaeum.domain.identity import MessageTs
from athenaeum.slack.incoming import moment

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId
    from athenaeum.domain.turn import Question

_ADDRESS = re.compile(r"/files/[^/]+/(?P<file>[A-Za-z0-9]+)/")
_SLACK = "https://slack.com/"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file, and the message that brought it."""

    file: File
    sharer: str
    shared_at: datetime

    def address(self, workspace: str | None) -> str:
        """Where a browser opens it; `workspace` is the address of the workspace itself."""
        base = (workspace or _SLACK).rstrip("/")
        return f"{base}/files/{self.sharer}/{self.file.id}/{quote(self.file.name, safe='')}"


async def shared(session: AsyncSession, question: Question) -> list[Attachment]:
    """The files of a question's own messages, then those of its thread before it, the newest first.

    Those that a bot shared are left out, ours among them.
    """
    parts = select(TurnMessage.message_ts).where(
        TurnMessage.channel_id == question.place.id, TurnMessage.turn_id == question.turn
    )
    own = [question.message_ts, *map(MessageTs, await session.scalars(parts))]
    wanted = and_(*at(question.place.id, *own))
    if question.thread_ts != question.message_ts:
        forgotten = await threads.forgotten(session, question.place.id, question.thread_ts) or ""
        before = (SlackMessage.ts > forgotten) & (SlackMessage.ts < question.message_ts)
        wanted |= _in_thread(question.thread_ts) & before
    since = min([question.thread_ts, *own])
    files = _with_files(question.place.id, wanted, since=since)
    rows = await session.scalars(files.order_by(SlackMessage.sent_at.desc()))
    told = sorted(rows, key=lambda row: row.ts not in own)
    found = [Attachment(file, row.user_id or "", row.sent_at) for row in told for file in _files(row)]
    return list({attachment.file.id: attachment for attachment in reversed(found)}.values())[::-1]


async def standing(session: AsyncSession, channel: ChannelId, thread_ts: MessageTs) -> frozenset[str]:
    """The ids of the files that stand in a thread now, and in the messages of its questions."""
    turns = select(Turn.turn_id).where(Turn.channel_id == channel, Turn.thread_ts == thread_ts)
    parts = select(TurnMessage.message_ts).where(TurnMessage.channel_id == channel, TurnMessage.turn_id.in_(turns))
    asked = list(map(MessageTs, await session.scalars(parts)))
    wanted = _in_thread(thread_ts) | and_(*at(channel, *asked))
    rows = await session.scalars(_with_files(channel, wanted, since=min([thread_ts, *asked])))
    return frozenset(file.id for row in rows for file in _files(row))


def file_at(address: str | None) -> str | None:
    """The id of the file that `Attachment.address` leads to."""
    found = _ADDRESS.search(address or "")
    return found["file"] if found else None


def _in_thread(thread_ts: MessageTs) -> ColumnElement[bool]:
    return or_(SlackMessage.ts == thread_ts, SlackMessage.thread_ts == thread_ts)


def _with_files(channel: ChannelId, wanted: ColumnElement[bool], *, since: MessageTs) -> Select[SlackMessage]:
    return select(SlackMessage).where(
        SlackMessage.channel_id == channel,
        SlackMessage.sent_at >= moment(since),  # TimescaleDB makes nothing of a time in one of several conditions
        wanted,
        SlackMessage.deleted_at.is_(None),
        SlackMessage.bot_id.is_(None),
        SlackMessage.metadata_.has_key("files"),
    )


def _files(row: SlackMessage) -> list[File]:
    told: list[dict[str, Any]] = row.metadata_["files"]
    unnamed: dict[str, Any] = {"name": ""}
    return [File(**(unnamed | file)) for file in told if file.get("id")]
