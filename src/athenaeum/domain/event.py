"""Events of the queue: what goes in and what a claim gives out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from athenaeum.domain.identity import EventId, LeaseToken, TenantId


class EventStatus(StrEnum):
    """The four states that users of the queue know; the tables below may know finer ones."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Work to be enqueued.

    Of events with the same `dedupe_key` in a tenant only the first is kept. Events with the same
    `ordering_key` run one after the other, in the order of their arrival; None runs whenever there is room.
    Higher priorities go first; among equals, tenants, kinds and `fair_key`s (such as a person) get equal shares.
    """

    kind: str
    payload: Mapping[str, Any]
    tenant: TenantId
    dedupe_key: str | None = None
    ordering_key: str | None = None
    fair_key: str | None = None
    priority: int = 0
    delay: timedelta = field(default=timedelta(0))


@dataclass(frozen=True, slots=True)
class Event:
    """A claimed event. `token` must be named by every write made on its behalf."""

    id: EventId
    tenant: TenantId
    kind: str
    payload: Mapping[str, Any]
    token: LeaseToken
    attempt: int
    """1 on the first claim."""
    created_at: datetime
