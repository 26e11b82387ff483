"""Questions, and all that belongs to answering them."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, JSON, BigInteger, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from athenaeum.database.models.base import NOW, Base


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
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    started_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    whispered: Mapped[bool] = mapped_column(server_default="false")
    stopped_by: Mapped[str | None]
    repeats: Mapped[int] = mapped_column(server_default="0")
    appointment_id: Mapped[UUID | None]
    occasion: Mapped[str | None]
    since: Mapped[datetime | None]


class TurnMessage(Base):
    """One message of a turn that was asked in several; the first of them is among them."""

    __tablename__ = "turn_messages"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    message_ts: Mapped[str] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID]
    words: Mapped[str]


class Feedback(Base):
    """What one person said of one answer, the last time they said something."""

    __tablename__ = "feedback"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[str]
    given_at: Mapped[datetime]
    reason: Mapped[str | None]
    explained_at: Mapped[datetime | None]


class EscalationRow(Base):
    """Somebody asked for a human below an answer; it is open until somebody says that it is resolved."""

    __tablename__ = "escalations"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[str]
    thread_ts: Mapped[str]
    helper: Mapped[str]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]


class Command(Base):
    """A question that was typed as a slash command, until it has its turn; then where that turn is."""

    __tablename__ = "commands"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    command_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str]
    typed_in: Mapped[str]
    question: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(server_default=NOW)
    turn_id: Mapped[UUID | None]
    place: Mapped[str | None]
    ts: Mapped[str | None]


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
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
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
    finished_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Approval(Base):
    """Calls of tools that wait for a person's word; without a `decision` they wait still."""

    __tablename__ = "approvals"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    approval_id: Mapped[UUID] = mapped_column(primary_key=True)
    turn_id: Mapped[UUID]
    calls: Mapped[list[Any]] = mapped_column(JSON)
    asked_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime]
    decision: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class Appointment(Base):
    """A digest or a reminder that was asked for."""

    __tablename__ = "appointments"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.tenant_id"), primary_key=True)
    appointment_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    channel_id: Mapped[str]
    thread_ts: Mapped[str | None]
    owner_id: Mapped[str]
    words: Mapped[str]
    weekdays: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    at: Mapped[time | None]
    time_zone: Mapped[str]
    since: Mapped[datetime | None]
    next_at: Mapped[datetime]
    made_at: Mapped[datetime] = mapped_column(server_default=NOW)
