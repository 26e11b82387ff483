"""Reactions, each by the last time that it was added and the last time it was taken back; the tenant is the session's.

The later of the two says whether it stands (a set whose last writer wins), so the order of arrival says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import String, Table, and_, bindparam, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.models import SlackMessage, SlackReaction
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.slack.incoming import moment

_TABLE = cast("Table", SlackReaction.__table__)

STANDS = and_(
    SlackReaction.added_at.is_not(None),
    or_(SlackReaction.removed_at.is_(None), SlackReaction.added_at > SlackReaction.removed_at),
)


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction that was not taken back."""

    user: UserId
    name: str


def _move(column: str) -> Insert:
    buried = select(SlackMessage.ts).where(
        SlackMessage.channel_id == bindparam("channel"),
        SlackMessage.ts == bindparam("ts"),
        SlackMessage.sent_at == bindparam("sent_at"),
        SlackMessage.deleted_at.is_not(None),
    )
    values = ("channel", "ts", "user", "name")
    chosen = select(
        func.athenaeum_tenant(), *(bindparam(name, type_=String) for name in values), bindparam("at")
    ).where(~buried.exists())
    columns = ["tenant_id", "channel_id", "ts", "user_id", "name", column]
    statement = insert(_TABLE).from_select(columns, chosen)
    stored = _TABLE.c[column]
    return statement.on_conflict_do_update(
        index_elements=["tenant_id", "channel_id", "ts", "user_id", "name"],
        set_={column: func.greatest(stored, statement.excluded[column])},
    )


_ADD, _REMOVE = _move("added_at"), _move("removed_at")
# a deletion, which takes the reactions along, must not miss one that is being stored
_PLACE = func.hashtextextended(
    func.concat_ws(
        ":",
        "slack_reactions",
        func.athenaeum_tenant(),
        bindparam("channel", type_=String),
        bindparam("ts", type_=String),
    ),
    literal(0),
)
_BESIDE = select(func.pg_advisory_xact_lock_shared(_PLACE))
_ALONE = select(func.pg_advisory_xact_lock(_PLACE))


async def react(
    session: AsyncSession, channel: ChannelId, ts: MessageTs, reaction: Reaction, *, at: datetime, added: bool
) -> None:
    """Somebody reacted to a message, or took it back, `at` a time of Slack's; to a deleted message nobody does."""
    await session.execute(_BESIDE, {"channel": channel, "ts": ts})
    await store(session, channel, ts, reaction, at=at, added=added)


async def store(
    session: AsyncSession, channel: ChannelId, ts: MessageTs, reaction: Reaction, *, at: datetime, added: bool
) -> None:
    """`react` where the message cannot be deleted meanwhile, as its row is locked: without a lock of its own."""
    place = {"channel": channel, "ts": ts, "sent_at": moment(ts)}
    told = {**place, "user": reaction.user, "name": reaction.name, "at": at}
    await session.execute(_ADD if added else _REMOVE, told)


async def forget(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> None:
    """The message is gone, and its tombstone stands already."""
    await session.execute(_ALONE, {"channel": channel, "ts": ts})
    await session.execute(delete(SlackReaction).where(SlackReaction.channel_id == channel, SlackReaction.ts == ts))


async def standing(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> Sequence[Reaction]:
    """Who reacts to a message with what, by name and person."""
    here = (SlackReaction.channel_id == channel, SlackReaction.ts == ts, STANDS)
    statement = select(SlackReaction.user_id, SlackReaction.name).where(*here)
    rows = await session.execute(statement.order_by(SlackReaction.name, SlackReaction.user_id))
    return [Reaction(UserId(user), name) for user, name in rows]
