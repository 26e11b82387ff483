"""Ids, each its own type, and those that are computed rather than drawn."""

from __future__ import annotations

from typing import NewType
from uuid import UUID, uuid5

TenantId = NewType("TenantId", UUID)
UserId = NewType("UserId", str)
ChannelId = NewType("ChannelId", str)
MessageTs = NewType("MessageTs", str)
"""Slack's message id within a channel: seconds and microseconds, such as `1700000000.000100`."""
TurnId = NewType("TurnId", UUID)
EventId = NewType("EventId", int)
LeaseToken = NewType("LeaseToken", int)
"""Fencing token of a claim: grows with every claim, checked by every write."""
ApprovalId = NewType("ApprovalId", UUID)
AppointmentId = NewType("AppointmentId", UUID)
"""Of a digest or a reminder: the id of the turn in which it was asked for."""
PassageId = NewType("PassageId", int)

DEFAULT_TENANT = TenantId(UUID("00000000-0000-4000-8000-000000000001"))
"""The tenant of the terminal and of the first workspace that connects; made by the first migration."""

_TURNS = UUID("6c1b1fd2-6f3b-5f0e-9a5c-3f6b7f5f2f10")


def turn_id(tenant: TenantId, channel: ChannelId, ts: MessageTs) -> TurnId:
    """The one turn that a user's message belongs to, whichever event announced it."""
    return TurnId(uuid5(_TURNS, f"{tenant}:{channel}:{ts}"))


def approval_id(turn: TurnId, calls: str) -> ApprovalId:
    """The approval of exactly these calls in this turn; `calls` is their canonical text."""
    return ApprovalId(uuid5(turn, f"approval:{calls}"))


def client_msg_id(turn: TurnId, part: int, generation: int) -> UUID:
    """The id Slack deduplicates a post by: equal for every attempt at the same visible message."""
    return uuid5(turn, f"part:{part}:{generation}")
