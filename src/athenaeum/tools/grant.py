"""What the tools of one turn may use, and for whose eyes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from athenaeum.domain.approval import Consents
from athenaeum.domain.audience import Audience
from athenaeum.domain.passage import Period
from athenaeum.domain.turn import Progress
from athenaeum.retrieval.index import Index
from athenaeum.tools.quarantine import Quarantine
from athenaeum.tools.readers import Readers


@dataclass(frozen=True, slots=True)
class Grant:
    """A conduit for the audience's own rights, never an escalator: no tool takes a tenant, user or channel."""

    index: Index
    audience: Audience
    readers: Readers
    """Who the audience is, for tools of which a rule says who may read what they give."""
    quarantine: Quarantine
    consents: Consents
    progress: Callable[[Progress], Awaitable[None]]
    now: datetime
    """When the question was asked; ages are counted from it, so that a retry reads the same."""
    tools: frozenset[str] | None = None
    """The tools that the persona may use; None for all."""
    period: Period | None = None
    """What a digest is about."""
