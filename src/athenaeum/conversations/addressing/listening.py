"""What the rules need to know of the talk before a message, from the store; the tenant is the session's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.addressing.speech import called
from athenaeum.conversations.addressing.verdict import Heard, Judgement, is_thanks, judge
from athenaeum.conversations.archive.history import SAID
from athenaeum.conversations.archive.mrkdwn import mentioned, spoken
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.slack.incoming import moment

_DEPTH = 12
"""Messages that are looked back over; a longer run of one person's remarks is a talk of their own."""

_BEFORE = text("""
    SELECT message.user_id, message.bot_id, message.text, turn.state, turn.asker_id,
           turn.turn_id IS NOT NULL AS asked, turn.answer ->> 'text' AS answer
    FROM slack_messages AS message
    LEFT JOIN turn_messages AS part ON part.channel_id = message.channel_id AND part.message_ts = message.ts
    LEFT JOIN turns AS turn ON turn.turn_id = part.turn_id
        OR (turn.channel_id = message.channel_id AND turn.message_ts = message.ts)
    WHERE message.channel_id = :channel AND (message.thread_ts = :thread OR message.ts = :thread)
      AND message.sent_at BETWEEN :since AND :until AND message.ts < :ts
      AND message.deleted_at IS NULL AND message.text <> ''
      AND (message.subtype IS NULL OR message.subtype IN :said)
    ORDER BY message.sent_at DESC LIMIT :depth""").bindparams(bindparam("said", SAID, expanding=True))
_LAST_ANSWER = text("""
    SELECT asker_id, answer ->> 'text' AS answer FROM turns
    WHERE channel_id = :channel AND thread_ts = :thread AND message_ts < :ts AND answered_at IS NOT NULL
    ORDER BY message_ts DESC LIMIT 1""")
_NAMES = text("""
    SELECT lower(name), lower(real_name), lower(split_part(real_name, ' ', 1)), lower(split_part(name, ' ', 1))
    FROM slack_users
    WHERE NOT is_deleted AND user_id IS DISTINCT FROM :bot
      AND (lower(name) IN :words OR lower(real_name) IN :words
           OR lower(split_part(real_name, ' ', 1)) IN :words OR lower(split_part(name, ' ', 1)) IN :words)
    """).bindparams(bindparam("words", expanding=True))


@dataclass(frozen=True, slots=True)
class Remark:
    """A message without a mention of the bot; `thread_ts` is None outside of threads."""

    channel: ChannelId
    thread_ts: MessageTs | None
    ts: MessageTs
    writer: UserId
    text: str
    """As Slack wrote it."""


async def listen(session: AsyncSession, tenant: Tenant, remark: Remark, *, bot_name: str) -> Judgement:
    """Judge a remark by what was said before it in its thread, and by who is called."""
    words = called(remark.text)
    before = [] if remark.thread_ts is None else await _before(session, remark, remark.thread_ts)
    floor, last = _floor(before, remark.writer, tenant)
    return judge(
        Heard(
            remark.text,
            bot=tenant.bot_user,
            bot_names=frozenset({bot_name.lower(), bot_name.lower().partition(" ")[0]}),
            names=await _names(session, words, tenant.bot_user),
            among_people=floor,
            unanswered=last is not None and last.state == "waiting" and last.asker_id == remark.writer,
            asked_back=last is not None and _ours(last, tenant) and await _asked_back(session, remark),
        )
    )


def _floor(before: Sequence[Row[Any]], writer: UserId, tenant: Tenant) -> tuple[bool, Row[Any] | None]:
    """Whether people have the floor, and the last message that counts: thanks and other bots do not."""
    last: Row[Any] | None = None
    for said in before:
        ours = _ours(said, tenant)
        if not ours and (said.bot_id is not None or is_thanks(said.text)):
            continue
        last = last or said
        if ours or said.asked:
            return False, last
        if said.user_id != writer or mentioned([spoken(said.text)]) - {tenant.bot_user}:
            return True, last
    return False, last


def _ours(said: Row[Any], tenant: Tenant) -> bool:
    return said.user_id == tenant.bot_user or (said.bot_id is not None and said.bot_id == tenant.bot_id)


async def _before(session: AsyncSession, remark: Remark, thread: MessageTs) -> Sequence[Row[Any]]:
    """The last messages of the thread before the remark, the newest first."""
    period = {"since": moment(thread), "until": moment(remark.ts)}
    place = {"channel": remark.channel, "thread": thread, "ts": remark.ts, **period}
    return (await session.execute(_BEFORE, {**place, "depth": _DEPTH})).all()


async def _asked_back(session: AsyncSession, remark: Remark) -> bool:
    place = {"channel": remark.channel, "thread": remark.thread_ts, "ts": remark.ts}
    found = (await session.execute(_LAST_ANSWER, place)).one_or_none()
    return found is not None and found.asker_id == remark.writer and str(found.answer).rstrip().endswith("?")


async def _names(session: AsyncSession, words: frozenset[str], bot: UserId | None) -> frozenset[str]:
    if not words:
        return frozenset()
    rows = await session.execute(_NAMES, {"bot": bot, "words": sorted(words)})
    return words & {name for row in rows for name in row}
