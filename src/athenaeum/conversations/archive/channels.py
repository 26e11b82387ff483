"""Channels and who is in them; the tenant is the session's.

Membership decides who may read. A channel whose `members_read_at` is null has unknown members, and
unknown means no: whatever casts doubt on the list clears it, and a refresh reads it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Table,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from athenaeum.database.models import SlackChannel, SlackMember, SlackMove
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.slack.incoming import Payload

_TABLE = cast("Table", SlackChannel.__table__)
_MEMBERS = cast("Table", SlackMember.__table__)


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation as Slack describes it."""

    channel_id: ChannelId
    name: str
    kind: ChannelKind
    topic: str
    is_archived: bool
    is_shared: bool


def read_channel(raw: Mapping[str, Any]) -> Channel:
    """A `channel` object of Slack's API.

    Raises:
        Malformed: it has no id.
    """
    channel = Payload.of(raw)
    topic = channel.child("topic")
    return Channel(
        channel_id=ChannelId(channel.identifier("id")),
        name=channel.text("name"),
        kind=_kind(channel),
        topic=topic.text("value") if topic else "",
        is_archived=channel.flag("is_archived"),
        is_shared=channel.flag("is_ext_shared") or channel.flag("is_pending_ext_shared"),
    )


def _kind(channel: Payload) -> ChannelKind:
    if channel.flag("is_im"):
        return ChannelKind.DIRECT
    if channel.flag("is_mpim"):
        return ChannelKind.GROUP
    if channel.flag("is_channel") and not channel.flag("is_private"):
        return ChannelKind.PUBLIC
    return ChannelKind.PRIVATE


async def save(session: AsyncSession, channel: Channel) -> datetime:
    """Insert or overwrite; gives the version that `replace_members` asks for."""
    fields = asdict(channel)
    statement = insert(SlackChannel).values(tenant_id=func.athenaeum_tenant(), **fields)
    del fields["channel_id"]
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "channel_id"], set_={**fields, "updated_at": func.clock_timestamp()}
    )
    return (await session.execute(statement.returning(SlackChannel.updated_at))).scalar_one()


_MEET = (
    insert(_TABLE)
    .values(tenant_id=func.athenaeum_tenant(), name="")
    .on_conflict_do_nothing()
    .returning(_TABLE.c.channel_id)
)


# whichever event was the first, what another one says of a direct or group message is certain
_UNREAD_KIND = (
    update(_TABLE)
    .where(_TABLE.c.channel_id == bindparam("channel"), _TABLE.c.members_read_at.is_(None))
    .where(_TABLE.c.kind == ChannelKind.PRIVATE.value)
    .values(kind=bindparam("narrow"), is_shared=bindparam("narrow") != ChannelKind.DIRECT.value)
)


async def meet(session: AsyncSession, channel: ChannelId, kind: ChannelKind | None) -> bool:
    """Note that a channel exists; True when it should be read from Slack.

    That is the first time, and when an event shows it to be of another kind than it was. A channel is
    never widened on an event's word: until it was read it is private, its members unknown, strangers among them.
    """
    narrow = ChannelKind.PRIVATE if kind is None or kind is ChannelKind.PUBLIC else kind
    row = {"channel_id": channel, "kind": narrow.value, "is_shared": narrow is not ChannelKind.DIRECT}
    if (await session.execute(_MEET, row)).first() is not None:
        return True
    if kind is None:
        return False
    known = select(SlackChannel.kind, SlackChannel.name).where(SlackChannel.channel_id == channel)
    stored, name = (await session.execute(known)).one()
    if stored == kind:
        return False
    if kind in {ChannelKind.DIRECT, ChannelKind.GROUP}:
        await session.execute(_UNREAD_KIND, {"channel": channel, "narrow": kind.value})
    if not name:  # it waits for its first reading already
        return False
    if kind is not ChannelKind.PUBLIC:
        await distrust(session, channel)
    return True


_NARROW = case((SlackChannel.kind == ChannelKind.PUBLIC.value, ChannelKind.PRIVATE.value), else_=SlackChannel.kind)


async def distrust(session: AsyncSession, channel: ChannelId) -> None:
    """Its readers are not what they were: nobody reads it, and strangers are thought to, until it was read again."""
    await _change(session, channel, kind=_NARROW, members_read_at=None, is_shared=True)
    await session.execute(delete(SlackMember).where(SlackMember.channel_id == channel))


async def distrust_all(session: AsyncSession) -> None:
    """As `distrust`, for every conversation but the bot's own direct messages, whose two members are certain."""
    shared = SlackChannel.kind != ChannelKind.DIRECT.value
    of_shared = SlackMember.channel_id.in_(select(SlackChannel.channel_id).where(shared))
    await session.execute(delete(SlackMember).where(of_shared).execution_options(synchronize_session=False))
    values = {"kind": _NARROW, "members_read_at": None, "is_shared": True, "updated_at": func.clock_timestamp()}
    doubted = update(SlackChannel).where(shared).values(values)
    await session.execute(doubted.execution_options(synchronize_session=False))


async def rename(session: AsyncSession, channel: ChannelId, name: str, *, at: datetime) -> None:
    """Nothing but the name: the event carries nothing else. An older one changes nothing; `at` is Slack's time."""
    older = _older(SlackChannel.name_changed_at, at, SlackChannel.name < name)
    await _change(session, channel, older, name=name, name_changed_at=at)


async def archive(session: AsyncSession, channel: ChannelId, *, archived: bool, at: datetime) -> None:
    """Archived or back again, unless that is older than what is known; `at` is Slack's time."""
    older = _older(SlackChannel.archive_changed_at, at, SlackChannel.is_archived < literal(archived))
    await _change(session, channel, older, is_archived=archived, archive_changed_at=at)


def _older(
    stored: InstrumentedAttribute[datetime | None], at: datetime, lesser: ColumnElement[bool]
) -> ColumnElement[bool]:
    return stored.is_(None) | (stored < at) | ((stored == at) & lesser)  # of one time the greater, whichever came first


async def _change(session: AsyncSession, channel: ChannelId, *where: ColumnElement[bool], **fields: Any) -> None:
    fields["updated_at"] = func.clock_timestamp()
    statement = update(SlackChannel).where(SlackChannel.channel_id == channel, *where).values(fields)
    await session.execute(statement.execution_options(synchronize_session=False))


async def replace_members(
    session: AsyncSession, channel: ChannelId, users: Iterable[UserId], *, version: datetime
) -> bool:
    """Take `users` for the whole membership, unless the channel changed after `version`: False, read again."""
    statement = (
        update(SlackChannel)
        .where(SlackChannel.channel_id == channel, SlackChannel.updated_at == version)
        .values(members_read_at=func.clock_timestamp())
    )
    if cast("CursorResult[Any]", await session.execute(statement)).rowcount == 0:
        return False
    await session.execute(delete(SlackMember).where(SlackMember.channel_id == channel))
    if rows := [{"channel_id": channel, "user_id": user} for user in set(users)]:
        await session.execute(insert(_MEMBERS).values(tenant_id=func.athenaeum_tenant()), rows)
    return True


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody came in or went out, at a time of Slack's."""

    user: UserId
    joined: bool
    at: datetime


async def move(session: AsyncSession, channel: ChannelId, move: Move) -> bool:
    """Somebody came in or went out; True when the members should be read again.

    Events may come late and out of order, and a stale join must not let anybody read: the newest decides, and into
    a channel that is not public nobody comes by an event, only out.
    """
    when = {"joined_at" if move.joined else "left_at": move.at}
    statement = insert(SlackMove).values(
        tenant_id=func.athenaeum_tenant(), channel_id=channel, user_id=move.user, **when
    )
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "channel_id", "user_id"],
        set_={name: func.greatest(getattr(SlackMove, name), statement.excluded[name]) for name in when},
    )
    last = (await session.execute(statement.returning(SlackMove.joined_at, SlackMove.left_at))).one()
    inside = last.joined_at is not None and (last.left_at is None or last.joined_at > last.left_at)
    # under the lock of its row, so that a doubt about it is seen
    known = select(SlackChannel.kind).where(SlackChannel.channel_id == channel).with_for_update()
    kind = await session.scalar(known)
    public = kind == ChannelKind.PUBLIC
    if inside and public:
        added = insert(SlackMember).values(tenant_id=func.athenaeum_tenant(), channel_id=channel, user_id=move.user)
        await session.execute(added.on_conflict_do_nothing())
    elif not inside:
        mine = (SlackMember.channel_id == channel, SlackMember.user_id == move.user)
        await session.execute(delete(SlackMember).where(*mine))
    await _change(session, channel)
    return not public


async def pair(session: AsyncSession, channel: ChannelId, user: UserId) -> None:
    """A direct message: whoever writes there to the bot is the other member, so nothing need be read."""
    statement = insert(SlackMember).values(tenant_id=func.athenaeum_tenant(), channel_id=channel, user_id=user)
    await session.execute(statement.on_conflict_do_nothing())
    unread = update(SlackChannel).where(SlackChannel.channel_id == channel, SlackChannel.members_read_at.is_(None))
    await session.execute(unread.values(members_read_at=func.clock_timestamp()))


async def history_read_to(session: AsyncSession, channel: ChannelId) -> MessageTs | None:
    """The newest message that was read from the channel's history, as far as it was read at all."""
    ts = await session.scalar(select(SlackChannel.history_read_to).where(SlackChannel.channel_id == channel))
    return MessageTs(ts) if ts else None


async def named(session: AsyncSession) -> set[str]:
    """The ids of the channels that were read from Slack, whatever is said there now."""
    was_read = (SlackChannel.name != "") | SlackChannel.members_read_at.is_not(None)
    return set(await session.scalars(select(SlackChannel.channel_id).where(was_read)))


async def any_history_was_read(session: AsyncSession) -> bool:
    """Whether the workspace's histories were ever read, so that something may have been missed since."""
    was_read = SlackChannel.history_read_to.is_not(None) | SlackChannel.history_read_at.is_not(None)
    return bool(await session.scalar(select(exists().where(was_read))))


async def note_history(session: AsyncSession, channel: ChannelId, newest: MessageTs | None) -> None:
    """The channel's history was read just now, up to this message; None when it has none."""
    mark = func.greatest(SlackChannel.history_read_to, newest)
    statement = update(SlackChannel).where(SlackChannel.channel_id == channel)
    await session.execute(statement.values(history_read_to=mark, history_read_at=func.clock_timestamp()))


async def unread_since(session: AsyncSession, bot: UserId, *, longer_than: timedelta) -> list[datetime]:
    """Since when histories that the bot may read were not read, for longer than this; the longest first."""
    inside = exists().where(SlackMember.channel_id == SlackChannel.channel_id, SlackMember.user_id == bot)
    read_at = func.coalesce(SlackChannel.history_read_at, SlackChannel.updated_at)
    late = select(read_at).where(inside, ~SlackChannel.is_archived, read_at < func.now() - longer_than)
    return list(await session.scalars(late.order_by(read_at)))
