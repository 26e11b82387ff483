"""Workspaces, their installations, personas, budgets and audit logs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Numeric, false, func
from sqlalchemy.orm import Mapped, mapped_column

from athenaeum.database.models.base import NOW, Base


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
    native: Mapped[bool] = mapped_column(server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
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
    installed_at: Mapped[datetime] = mapped_column(server_default=NOW)
    renewed_at: Mapped[datetime] = mapped_column(server_default=NOW)


class AccessTokenRow(Base):
    """A token that was issued for one of our MCP servers, without the token."""

    __tablename__ = "access_tokens"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id", ondelete="CASCADE"), primary_key=True)
    token_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    server: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class HelperRow(Base):
    """Who is called when somebody asks for a human: in a channel, or where nobody else is (`channel_id` empty)."""

    __tablename__ = "helpers"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id", ondelete="CASCADE"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True, server_default="")
    helper: Mapped[str]


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
