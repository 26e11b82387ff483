"""Declarative models of the tables that are read and written row by row.

The migrations are the truth; `tests/integration/database/test_models.py` holds these models to them.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, MetaData, Numeric, Text, func
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
    disabled_at: Mapped[datetime | None]
    disabled_because: Mapped[str | None]


class InstallationRow(Base):
    """The encrypted tokens of a workspace that installed the app."""

    __tablename__ = "installations"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    bot_token: Mapped[bytes]
    refresh_token: Mapped[bytes | None]
    expires_at: Mapped[datetime | None]
    scopes: Mapped[list[str]] = mapped_column(server_default="{}")
    installed_by: Mapped[str | None]
    installed_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    renewed_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class PersonaRow(Base):
    """Overrides of the default persona: for a tenant (`channel_id` empty), a channel, a person (`user_id`) there."""

    __tablename__ = "personas"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True, server_default="")
    user_id: Mapped[str] = mapped_column(primary_key=True, server_default="")
    name: Mapped[str | None]
    role: Mapped[str | None]
    instructions: Mapped[str | None]
    model: Mapped[str | None]
    tools: Mapped[list[str] | None]
    system_template: Mapped[str | None]
    context_template: Mapped[str | None]


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
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    updated_at: Mapped[datetime] = mapped_column(server_default=_NOW)
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
    updated_at: Mapped[datetime] = mapped_column(server_default=_NOW)
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
    whispered: Mapped[bool] = mapped_column(server_default="false")
    stopped_by: Mapped[str | None]
    repeats: Mapped[int] = mapped_column(server_default="0")


class TurnMessage(Base):
    """One message of a turn that was asked in several; the first of them is among them."""

    __tablename__ = "turn_messages"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    message_ts: Mapped[str] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID]
    words: Mapped[str]


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


class Feedback(Base):
    """What one person said of one answer, the last time they said something."""

    __tablename__ = "feedback"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[str]
    given_at: Mapped[datetime]


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


class Budget(Base):
    """US dollars that may be spent on models in a day; an empty `subject` is each without one of its own."""

    __tablename__ = "budgets"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id", ondelete="CASCADE"), primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True, server_default="")
    dollars: Mapped[Decimal] = mapped_column(Numeric())


class AuditEntry(Base):
    """One line of a tenant's audit log; its trigger gives `seq`, `recorded_at` and `hash`."""

    __tablename__ = "audit_log"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime]
    action: Mapped[str]
    actor: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
    hash: Mapped[bytes]


class AuditHead(Base):
    """The newest entry of a tenant's audit log; none before the first."""

    __tablename__ = "audit_heads"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes]
