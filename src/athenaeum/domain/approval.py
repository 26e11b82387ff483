"""Consent: what a tool wants to change, and what the person who asked said to that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from athenaeum.domain.identity import ApprovalId, TurnId


class Decision(StrEnum):
    """What became of a proposal; it is decided once."""

    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    """The turn has proposed something else since."""


@dataclass(frozen=True, slots=True)
class ProposedCall:
    """One call of a tool, with the arguments that it will get and no others."""

    id: str
    tool: str
    asks: str
    """What the tool does, in words for people ("Post a message")."""
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The calls of one response of the model that change something: approved or denied together.

    The id stands for exactly these calls: other arguments make another proposal.
    """

    id: ApprovalId
    calls: tuple[ProposedCall, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """A proposal that waits for its asker, until `expires_at`."""

    proposal: Proposal
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Consents:
    """What was decided in a turn so far, and whether there is somebody who can be asked."""

    turn: TurnId
    decided: Mapping[ApprovalId, Decision]
    can_ask: bool
