"""What is known of Slack: its people, channels and messages, and the events that told of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from athenaeum.database.models.base import NOW, Base


class SlackUser(Base):
    """A person or bot of a workspace."""

    __tablename__ = "slack_users"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    real_name: Mapped[str] = mapped_column(server_default="")
    is_bot: Mapped[bool] = mapped_column(server_default="false")
    is_guest: Mapped[bool] = mapped_column(server_default="false")
    is_deleted: Mapped[bool] = mapped_column(server_default="false")
    is_admin: Mapped[bool] = mapped_column(server_default="false")
    time_zone: Mapped[str] = mapped_column(server_default="")
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    changed_at: Mapped[datetime | None]


class SlackChannel(Base):
    """A channel, private channel, direct or group message."""

    __tablename__ = "slack_channels"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    topic: Mapped[str] = mapped_column(server_default="")
    is_archived: Mapped[bool] = mapped_column(server_default="false")
    is_shared: Mapped[bool] = mapped_column(server_default="false")
    members_read_at: Mapped[datetime | None]
    history_read_to: Mapped[str | None]
    history_read_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)
    name_changed_at: Mapped[datetime | None]
    archive_changed_at: Mapped[datetime | None]


class SlackMember(Base):
    """One person's membership of one channel."""

    __tablename__ = "slack_members"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)


class SlackMessage(Base):
    """A message as it stands now; `deleted_at` marks a tombstone, whose text is empty."""

    __tablename__ = "slack_messages"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[str] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(primary_key=True)
    thread_ts: Mapped[str | None]
    user_id: Mapped[str | None]
    bot_id: Mapped[str | None]
    subtype: Mapped[str | None]
    text: Mapped[str]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    indexed_at: Mapped[datetime | None]
    changed_at: Mapped[datetime | None]


class SlackMessageVersion(Base):
    """What a person's message said before its last edit; `written_at` is when it was edited so, or sent."""

    __tablename__ = "slack_message_versions"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[str] = mapped_column(primary_key=True)
    written_at: Mapped[datetime] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


class SlackReaction(Base):
    """One person's reaction to one message; `removed_at` may come before `added_at`."""

    __tablename__ = "slack_reactions"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    added_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class SlackMove(Base):
    """The last time that somebody came into a channel, and went out, as events told it."""

    __tablename__ = "slack_moves"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    joined_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]


class SlackChannelMove(Base):
    """An id that Slack has replaced, and the one that stands for it now."""

    __tablename__ = "slack_channel_moves"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    moved_to: Mapped[str]


class SlackEvent(Base):
    """What Slack told, as it came; a page of history has the type `history`."""

    __tablename__ = "slack_events"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    type: Mapped[str]
    channel_id: Mapped[str | None]
    ts: Mapped[str | None]
    until: Mapped[str | None]
    payload: Mapped[dict[str, Any]]
    erased_at: Mapped[datetime | None]


class Thread(Base):
    """A thread that the bot listens in, has listened in, or was told not to."""

    __tablename__ = "threads"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    thread_ts: Mapped[str] = mapped_column(primary_key=True)
    since_ts: Mapped[str]
    engaged_until: Mapped[datetime]
    muted: Mapped[bool] = mapped_column(server_default="false")
    forgotten_ts: Mapped[str | None]


class ChannelMode(Base):
    """What a channel's messages without a mention are to the bot, and how many it answered of them today."""

    __tablename__ = "channel_modes"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    mode: Mapped[str]
    cap: Mapped[int]
    counted_on: Mapped[date] = mapped_column(server_default=func.current_date())
    answered: Mapped[int] = mapped_column(server_default="0")
