"""Questions that nobody has begun to answer: their writer may still reword them, add to them and take them back.

Messages that somebody writes one after the other become one question. Each is recorded with the turn, so that its
redelivery, its edit and its deletion find it. Two events of one message cannot do this at once: both have stored the
message before, and the second waited for the first to commit.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from athenaeum.conversations.archive.messages import at
from athenaeum.conversations.keywords import read_keyword
from athenaeum.database.models import SlackMessage, Turn, TurnMessage
from athenaeum.domain.channel import ChannelKind, Surface
from athenaeum.domain.identity import ChannelId, MessageTs, TurnId, UserId
from athenaeum.slack.incoming import moment

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.message import InboundMessage

QUICK = timedelta(minutes=1)
"""Messages that are further apart are questions of their own."""
_AT_MOST = 10
"""Messages of one question."""


async def join(session: AsyncSession, speech: InboundMessage) -> TurnId | None:
    """Add a message to the question that its writer asked just before; the question's turn, None when there is none.

    Only the last question of a thread, or of the top level of a direct message, is added to, and only while it waits.
    """
    waiting = await session.scalar(
        select(Turn)
        .where(
            Turn.channel_id == speech.channel,
            Turn.asker_id == speech.sender,
            Turn.surface == Surface.SLACK.value,
            Turn.state == "waiting",
            Turn.fence == 0,
            Turn.event_id.is_not(None),
            ~Turn.whispered,
            _same_talk(speech),
        )
        .order_by(Turn.message_ts.desc())
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if known := await _turn_of(session, speech.channel, speech.ts):
        return known
    if waiting is None or waiting.message_ts == speech.ts or read_keyword(waiting.question):
        return None
    own = exists().where(Turn.channel_id == speech.channel, Turn.message_ts == speech.ts)
    if await session.scalar(select(or_(own, _asked_later(waiting)))):
        return None
    told = await _parts(session, TurnId(waiting.turn_id))
    gaps = [abs(moment(MessageTs(ts)) - speech.sent_at) for ts in told or [waiting.message_ts]]
    if min(gaps) > QUICK or len(gaps) >= _AT_MOST:
        return None
    if not told:
        await _add(session, waiting, MessageTs(waiting.message_ts), waiting.question)
    await _add(session, waiting, speech.ts, speech.text)
    turn = TurnId(waiting.turn_id)
    await _put_together(session, speech.channel, turn)
    return turn


async def reword(session: AsyncSession, channel: ChannelId, ts: MessageTs, question: str) -> None:
    """Ask the edited question instead; a turn that has begun keeps what it was asked."""
    if turn := await _turn_of(session, channel, ts):
        await _hold(session, turn)
        waits = select(Turn.turn_id).where(Turn.turn_id == turn, Turn.state == "waiting")
        part = update(TurnMessage).where(TurnMessage.channel_id == channel, TurnMessage.message_ts == ts)
        await session.execute(part.where(TurnMessage.turn_id.in_(waits)).values(words=question))
        await _put_together(session, channel, turn)
        return
    waiting = (Turn.channel_id == channel, Turn.message_ts == ts, Turn.state == "waiting")
    await session.execute(update(Turn).where(*waiting).values(question=question))


async def take_back(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> None:
    """Ask on without a message that was deleted; the question whose last message it was is withdrawn by its turn."""
    if turn := await _turn_of(session, channel, ts):
        await _hold(session, turn)
        await _put_together(session, channel, turn)


async def attach(session: AsyncSession, speech: InboundMessage) -> bool:
    """Note that a message, which asks nothing, belongs to the last turn before it; False when that is known."""
    if await _turn_of(session, speech.channel, speech.ts):
        return False
    last = select(Turn).where(Turn.channel_id == speech.channel, Turn.message_ts < speech.ts, _same_talk(speech))
    if turn := await session.scalar(last.order_by(Turn.message_ts.desc()).limit(1)):
        await _add(session, turn, speech.ts, "")
    return True


async def open_threads(session: AsyncSession, channel: ChannelId, asker: UserId) -> list[MessageTs]:
    """The threads in which somebody waits for an answer."""
    waits = select(Turn.thread_ts).where(
        Turn.channel_id == channel, Turn.asker_id == asker, Turn.finished_at.is_(None), Turn.answer.is_(None)
    )
    return [MessageTs(ts) for ts in await session.scalars(waits.distinct())]


def _same_talk(speech: InboundMessage) -> ColumnElement[bool]:
    if speech.thread_ts is not None and speech.thread_ts != speech.ts:
        return Turn.thread_ts == speech.thread_ts
    if speech.channel_kind is ChannelKind.DIRECT:
        return Turn.message_ts == Turn.thread_ts
    return Turn.thread_ts == speech.ts


def _asked_later(waiting: Turn) -> ColumnElement[bool]:
    later = aliased(Turn)
    return exists().where(
        later.channel_id == waiting.channel_id,
        later.thread_ts == waiting.thread_ts,
        later.message_ts > waiting.message_ts,
    )


async def _turn_of(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> TurnId | None:
    """The turn of a message that shares it with others."""
    shared = select(TurnMessage.turn_id).where(TurnMessage.channel_id == channel, TurnMessage.message_ts == ts)
    found = await session.scalar(shared)
    return None if found is None else TurnId(found)


async def _parts(session: AsyncSession, turn: TurnId) -> dict[MessageTs, str]:
    """The messages that make a question; one without words only tells that it belongs to the turn."""
    asked = (TurnMessage.turn_id == turn, TurnMessage.words != "")
    parts = select(TurnMessage.message_ts, TurnMessage.words).where(*asked).order_by(TurnMessage.message_ts)
    return {MessageTs(ts): words for ts, words in await session.execute(parts)}


async def _hold(session: AsyncSession, turn: TurnId) -> None:
    # whoever takes the turn waits for the question, or has begun
    await session.execute(select(Turn.turn_id).where(Turn.turn_id == turn).with_for_update())


async def _add(session: AsyncSession, turn: Turn, ts: MessageTs, words: str) -> None:
    part = {"tenant_id": turn.tenant_id, "channel_id": turn.channel_id, "turn_id": turn.turn_id}
    await session.execute(insert(TurnMessage).values(**part, message_ts=ts, words=words))


async def _put_together(session: AsyncSession, channel: ChannelId, turn: TurnId) -> None:
    """Make the question of a waiting turn from those of its messages that stand."""
    told = await _parts(session, turn)
    stands = select(SlackMessage.ts).where(*at(channel, *told), SlackMessage.deleted_at.is_(None))
    standing = set(await session.scalars(stands))
    question = "\n".join(words for ts, words in told.items() if ts in standing)
    waiting = (Turn.turn_id == turn, Turn.state == "waiting")
    await session.execute(update(Turn).where(*waiting).values(question=question))
