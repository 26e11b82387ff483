"""Declarative models of the tables that are read and written row by row.

The migrations are the truth; `tests/integration/database/test_models.py` holds these models to them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, MetaData, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Text without a length, aware times, `jsonb`."""

    metadata: ClassVar[MetaData] = MetaData()
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[str]: ARRAY(Text()),
    }


_NOW = func.now()


class Tenant(Base):
    """A customer's workspace, or the terminal's."""

    __tablename__ = "tenants"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    name: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    slack_team_id: Mapped[str | None] = mapped_column(unique=True)
    slack_enterprise_id: Mapped[str | None]
    slack_app_id: Mapped[str | None]
    slack_url: Mapped[str | None]
    bot_user_id: Mapped[str | None]
    bot_id: Mapped[str | None]
    company_name: Mapped[str] = mapped_column(server_default="")
    domain_areas: Mapped[list[str]] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class PersonaRow(Base):
    """Overrides of the default persona for a tenant (`channel_id` empty) or one of its channels."""

    __tablename__ = "personas"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True, server_default="")
    name: Mapped[str | None]
    role: Mapped[str | None]
    instructions: Mapped[str | None]
    model: Mapped[str | None]


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
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    updated_at: Mapped[datetime] = mapped_column(server_default=_NOW)


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
    updated_at: Mapped[datetime] = mapped_column(server_default=_NOW)


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


class SlackReaction(Base):
    """One person's reaction to one message."""

    __tablename__ = "slack_reactions"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    ts: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)


class Turn(Base):
    """One user message and what became of it."""

    __tablename__ = "turns"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    surface: Mapped[str]
    channel_id: Mapped[str]
    message_ts: Mapped[str]
    thread_ts: Mapped[str]
    asker_id: Mapped[str]
    question: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting")
    event_id: Mapped[int | None] = mapped_column(BigInteger)
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    attempt: Mapped[int] = mapped_column(server_default="0")
    answer: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    started_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Delivery(Base):
    """A visible message of a turn: written as an intent before the post, with its `ts` after."""

    __tablename__ = "deliveries"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(server_default="0")
    attempts: Mapped[int] = mapped_column(server_default="0")
    poster: Mapped[UUID | None]
    posting_until: Mapped[datetime | None]
    ts: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    posted_at: Mapped[datetime | None]


class Step(Base):
    """The recorded result of one finished model request or tool call; without one, a change that was begun."""

    __tablename__ = "steps"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    result: Mapped[Any | None] = mapped_column(JSON)
    inputs: Mapped[str] = mapped_column(server_default="")
    once: Mapped[bool] = mapped_column(server_default="false")
    prompts: Mapped[str] = mapped_column(server_default="")
    tools: Mapped[str] = mapped_column(server_default="")
    model: Mapped[str | None]
    fence: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class Approval(Base):
    """Calls of tools that wait for a person's word; without a `decision` they wait still."""

    __tablename__ = "approvals"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    approval_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID]
    calls: Mapped[list[Any]] = mapped_column(JSON)
    asked_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    expires_at: Mapped[datetime]
    decision: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
