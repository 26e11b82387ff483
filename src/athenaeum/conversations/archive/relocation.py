"""Slack gives a channel another id, and all that is kept of it moves along; the tenant is the session's.

That happens when a workspace joins an organisation, or a channel is shared with one. Events under the old id may still
come: the log tells each the id that stands for its channel now. What an export was read from keeps the export's ids.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations.archive import channels, eventlog, messages
from athenaeum.conversations.archive.messages import File, Message
from athenaeum.database.models import SlackChannel, SlackChannelMove, SlackMember, SlackMessage
from athenaeum.domain.identity import ChannelId, MessageTs, PassageId, TenantId, UserId
from athenaeum.retrieval import catalogue, postings


async def wait_for_events(session: AsyncSession) -> None:
    """Let every event that is being stored be committed first, and hold others back: none may miss the move.

    It comes before anything else in the transaction, which takes milliseconds and happens once in a channel's life.
    """
    await session.execute(_LOCK)


async def relocate(session: AsyncSession, tenant: TenantId, old: ChannelId, new: ChannelId) -> ChannelId:
    """Move what is known of `old`, and give the id that it stands under now; repeated it changes nothing."""
    new = await eventlog.moved_to(session, new) or new
    if new == old:  # there and back: it is where it was
        return new
    alias = insert(SlackChannelMove).values(tenant_id=func.athenaeum_tenant(), channel_id=old, moved_to=new)
    await session.execute(
        alias.on_conflict_do_update(index_elements=["tenant_id", "channel_id"], set_={"moved_to": new})
    )
    await session.execute(update(SlackChannelMove).where(SlackChannelMove.moved_to == old).values(moved_to=new))
    await channels.meet(session, new, None)
    ids = {"old": old, "new": new}
    for statement in (*_MOVES, *_FOLLOWING):
        await session.execute(statement, ids)
    await _merge(session, old, new)
    await session.execute(_MOVE_MESSAGES, ids)
    await session.execute(_BURY_REACTIONS, ids)
    await _unlist(session, tenant, old)
    for table in (SlackMember, SlackChannel):
        await session.execute(delete(table).where(table.channel_id == old))
    await messages.announce(session)
    return new


async def _merge(session: AsyncSession, old: ChannelId, new: ChannelId) -> None:
    """What was told of one message under either id becomes one."""
    there = select(SlackMessage.ts).where(SlackMessage.channel_id == new)
    both = select(SlackMessage).where(SlackMessage.channel_id == old, SlackMessage.ts.in_(there))
    for stored in (await session.scalars(both)).all():
        if stored.deleted_at is not None:
            await messages.erase(session, new, MessageTs(stored.ts), at=stored.deleted_at)
        elif (await messages.record(session, _message(stored, new))).is_deleted:
            await messages.bury(session, new, MessageTs(stored.ts))
        await session.delete(stored)
    await session.flush()


def _message(stored: SlackMessage, channel: ChannelId) -> Message:
    files: list[dict[str, Any]] = stored.metadata_.get("files", [])
    return Message(
        channel=channel,
        ts=MessageTs(stored.ts),
        sent_at=stored.sent_at,
        thread_ts=MessageTs(stored.thread_ts) if stored.thread_ts else None,
        user=UserId(stored.user_id) if stored.user_id else None,
        bot=stored.bot_id,
        subtype=stored.subtype,
        text=stored.text,
        edited_at=stored.edited_at,
        files=tuple(File(**file) for file in files),
        changed_at=stored.changed_at,
    )


async def _unlist(session: AsyncSession, tenant: TenantId, channel: ChannelId) -> None:
    await catalogue.lock(session, tenant)
    passages = [PassageId(found) for found in await session.scalars(_PASSAGES, {"channel": channel})]
    if passages:
        await postings.remove(session, await catalogue.filed(session, passages))
        await catalogue.delete(session, passages)


_LOCK = text("LOCK TABLE slack_events IN SHARE ROW EXCLUSIVE MODE")
_PASSAGES = text("SELECT passage_id FROM passages WHERE channel_id = :channel")
_MOVE_MESSAGES = text("UPDATE slack_messages SET channel_id = :new, indexed_at = NULL WHERE channel_id = :old")
# told under one id of messages that were deleted under the other
_BURY_REACTIONS = text("""
    DELETE FROM slack_reactions AS told
    WHERE channel_id = :new AND EXISTS (
        SELECT FROM slack_messages WHERE channel_id = :new AND ts = told.ts AND deleted_at IS NOT NULL)""")
_MOVES = tuple(
    text(statement)
    for statement in (
        "UPDATE slack_events SET channel_id = :new WHERE channel_id = :old",
        """
        INSERT INTO slack_message_versions
        SELECT tenant_id, :new, ts, written_at, digest, text FROM slack_message_versions WHERE channel_id = :old
        ON CONFLICT DO NOTHING""",
        "DELETE FROM slack_message_versions WHERE channel_id = :old",
        """
        INSERT INTO slack_reactions AS stored (tenant_id, channel_id, ts, user_id, name, added_at, removed_at)
        SELECT tenant_id, :new, ts, user_id, name, added_at, removed_at FROM slack_reactions WHERE channel_id = :old
        ON CONFLICT (tenant_id, channel_id, ts, user_id, name) DO UPDATE SET
            added_at = greatest(stored.added_at, excluded.added_at),
            removed_at = greatest(stored.removed_at, excluded.removed_at)""",
        "DELETE FROM slack_reactions WHERE channel_id = :old",
        """
        INSERT INTO slack_moves AS stored (tenant_id, channel_id, user_id, joined_at, left_at)
        SELECT tenant_id, :new, user_id, joined_at, left_at FROM slack_moves WHERE channel_id = :old
        ON CONFLICT (tenant_id, channel_id, user_id) DO UPDATE SET
            joined_at = greatest(stored.joined_at, excluded.joined_at),
            left_at = greatest(stored.left_at, excluded.left_at)""",
        "DELETE FROM slack_moves WHERE channel_id = :old",
        # as `channels.move` does for one who comes or goes under the new id: into a public channel, and out of any
        """
        INSERT INTO slack_members (tenant_id, channel_id, user_id)
        SELECT tenant_id, channel_id, user_id FROM slack_moves JOIN slack_channels USING (tenant_id, channel_id)
        WHERE channel_id = :new AND kind = 'public' AND joined_at > coalesce(left_at, '-infinity')
        ON CONFLICT DO NOTHING""",
        """
        DELETE FROM slack_members AS member USING slack_moves AS moved
        WHERE member.channel_id = :new AND moved.channel_id = :new AND moved.user_id = member.user_id
          AND moved.left_at >= coalesce(moved.joined_at, '-infinity')""",
        """
        UPDATE slack_channels AS stored SET name = old.name, name_changed_at = old.name_changed_at
        FROM slack_channels AS old
        WHERE stored.channel_id = :new AND old.channel_id = :old AND old.tenant_id = stored.tenant_id
          AND old.name <> '' AND (coalesce(old.name_changed_at, '-infinity'), old.name)
              > (coalesce(stored.name_changed_at, '-infinity'), stored.name)""",
        """
        UPDATE slack_channels AS stored
        SET is_archived = old.is_archived, archive_changed_at = old.archive_changed_at
        FROM slack_channels AS old
        WHERE stored.channel_id = :new AND old.channel_id = :old AND old.tenant_id = stored.tenant_id
          AND (coalesce(old.archive_changed_at, '-infinity'), old.is_archived)
              > (coalesce(stored.archive_changed_at, '-infinity'), stored.is_archived)""",
        """
        DELETE FROM appointments WHERE channel_id = :old AND kind = 'digest'
            AND EXISTS (SELECT FROM appointments WHERE channel_id = :new AND kind = 'digest')""",
        "UPDATE appointments SET channel_id = :new WHERE channel_id = :old",
        "UPDATE spending SET channel_id = :new WHERE channel_id = :old",
        "UPDATE commands SET typed_in = :new WHERE typed_in = :old",
        """
        UPDATE budgets AS moved SET subject = :new WHERE scope = 'channel' AND subject = :old
            AND NOT EXISTS (SELECT FROM budgets WHERE scope = 'channel' AND subject = :new)""",
        "DELETE FROM budgets WHERE scope = 'channel' AND subject = :old",
    )
)

# What a row is told by besides its channel. Where the new id has one already, that one counts.
_TOLD_BY = {
    "turns": "message_ts",
    "turn_messages": "message_ts",
    "escalations": "thread_ts",
    "threads": "thread_ts",
    "slack_backfills": "thread_ts",
    "personas": "user_id",
    "channel_limits": "tenant_id",
    "channel_modes": "tenant_id",
    "helpers": "tenant_id",
}
_LEFT_BEHIND = ("threads", "slack_backfills", "personas", "channel_modes", "helpers")
"""Where a row that could not move says nothing any more; the others are on record."""
_FOLLOW = """
    UPDATE {table} AS moved SET channel_id = :new WHERE channel_id = :old AND NOT EXISTS (
        SELECT FROM {table} AS other WHERE channel_id = :new AND other.{told_by} = moved.{told_by})"""
_FOLLOWING = (
    *(text(_FOLLOW.format(table=table, told_by=told_by)) for table, told_by in _TOLD_BY.items()),
    *(text(f"DELETE FROM {table} WHERE channel_id = :old") for table in _LEFT_BEHIND),  # noqa: S608 - our own words
)
