"""How a message is for the bot, if it is: asked of it, overheard in a thread, or taken up in a channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import func, select

from athenaeum.conversations import modes
from athenaeum.conversations.addressing import Judgement, Remark, listen
from athenaeum.conversations.archive import threads
from athenaeum.conversations.keywords import Keyword, read_keyword
from athenaeum.domain.channel import ChannelKind, Mode
from athenaeum.gateway.admission import opens_turn
from athenaeum.tenants.personas import persona_for

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import MessageTs
    from athenaeum.domain.message import InboundMessage
    from athenaeum.domain.tenant import Tenant
    from athenaeum.gateway.changes import Written

log = structlog.get_logger(__name__)

FRESH = timedelta(hours=1)
"""What Slack brings later than this is archived, and nobody waits for its answer any more."""


class Manner(StrEnum):
    """How a message reached the bot."""

    ASKED = "asked"
    """By a mention, or in a direct message."""
    OVERHEARD = "overheard"
    """In a thread that the bot listens in."""
    TAKEN_UP = "taken up"
    """In a channel whose mode says so."""
    SUGGESTED = "suggested"
    """The same, and its writer alone sees the answer."""

    @property
    def awaits_answer(self) -> bool:
        """Whether its writer counts on an answer, and is told when there is none."""
        return self in {Manner.ASKED, Manner.OVERHEARD}


async def hear(
    session: AsyncSession, tenant: Tenant, written: Written, speech: InboundMessage, *, text: str
) -> Manner | None:
    """Say how a message is for the bot, None when it is not; `text` is the message as Slack wrote it."""
    asked = opens_turn(written)
    if not asked and (written.revised or speech.channel_kind is ChannelKind.DIRECT):
        return None
    moment = written.message.edited_at if written.revised else None
    remark = Remark(speech.channel, _root(speech), speech.ts, speech.sender, text)
    if asked:
        manner = Manner.ASKED
    elif remark.thread_ts is not None:
        manner = await _in_thread(session, tenant, remark, read_keyword(speech.text))
    else:
        manner = await _in_channel(session, tenant, remark)
    if manner is None or await _is_fresh(session, moment or speech.sent_at):
        return manner
    log.info("message.stale", channel=speech.channel, manner=manner.value)
    return None


def _root(speech: InboundMessage) -> MessageTs | None:
    return None if speech.thread_ts == speech.ts else speech.thread_ts


async def _in_thread(session: AsyncSession, tenant: Tenant, remark: Remark, keyword: Keyword | None) -> Manner | None:
    assert remark.thread_ts is not None
    attention = await threads.attention(session, remark.channel, remark.thread_ts)
    if attention is None or remark.ts <= attention.since:
        return None
    if attention.muted:
        return Manner.OVERHEARD if keyword in {Keyword.UNMUTE, Keyword.STOP} else None
    if not attention.engaged:
        return None
    if keyword in {Keyword.MUTE, Keyword.STOP}:
        return Manner.OVERHEARD
    verdict = await _judge(session, tenant, remark)
    if verdict is Judgement.ASKS or (keyword is not None and verdict is Judgement.NO_QUESTION):
        return Manner.OVERHEARD
    return None


async def _in_channel(session: AsyncSession, tenant: Tenant, remark: Remark) -> Manner | None:
    mode = await modes.mode_of(session, remark.channel)
    if mode is Mode.MENTIONS:
        return None
    verdict = await _judge(session, tenant, remark)
    if verdict is Judgement.ASKS or (mode is Mode.ALL and verdict is Judgement.NO_QUESTION):
        return Manner.SUGGESTED if mode is Mode.SUGGEST else Manner.TAKEN_UP
    return None


async def _judge(session: AsyncSession, tenant: Tenant, remark: Remark) -> Judgement:
    persona = await persona_for(session, remark.channel)
    verdict = await listen(session, tenant, remark, bot_name=persona.name)
    log.debug("message.judged", channel=remark.channel, ts=remark.ts, verdict=verdict.value)
    return verdict


async def _is_fresh(session: AsyncSession, said: datetime) -> bool:
    """Whether somebody may still wait for an answer; the database's clock is asked where ours says no."""
    if datetime.now(UTC) - said < FRESH:
        return True
    return bool(await session.scalar(select(func.now() - said < FRESH)))
