"""Whose event is it, and is it for us to answer?"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.tenant import Tenant
from athenaeum.errors import RetryLater
from athenaeum.gateway.changes import Written
from athenaeum.gateway.envelope import Envelope
from athenaeum.observability.metrics import UNKNOWN_WORKSPACES
from athenaeum.tenants import register

log = structlog.get_logger(__name__)

_REMEMBERED = 5.0  # seconds; the lookup is a third of what an event costs the database


class Admission:
    """Knows whose installation an event is for; what it found it remembers for a few seconds."""

    def __init__(self, database: DatabaseConnection, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._database = database
        self._clock = clock
        self._known: dict[tuple[str | None, str | None], tuple[Tenant, float]] = {}

    async def admit(self, envelope: Envelope) -> Tenant | None:
        """The tenant that the event is for; None, a warning and a count for anybody else's.

        Raises:
            RetryLater: no workspace is connected yet, so nobody can say whose it is: the first start is not over.
        """
        key = (envelope.team, envelope.enterprise)
        tenant, until = self._known.get(key, (None, 0.0))
        if tenant is not None and self._clock() < until:
            return tenant
        tenant = await register.resolve(self._database, envelope.team, envelope.enterprise)
        if tenant is not None:
            self._known[key] = (tenant, self._clock() + _REMEMBERED)
            return tenant
        self._known.pop(key, None)
        if not await register.is_connected(self._database):
            raise RetryLater("an event came before any workspace was connected")
        UNKNOWN_WORKSPACES.inc()
        log.warning("workspace.unknown", team=envelope.team, enterprise=envelope.enterprise, event_id=envelope.event_id)
        return None


def opens_turn(written: Written) -> bool:
    """Whether a person asks the bot something: by mention anywhere, or by anything in a direct message.

    A rewritten message asks only where the rewriting put the mention in.
    """
    speech = written.speech
    if speech is None:
        return False
    if written.revised:
        return written.now_mentions and written.message.edited_at is not None
    return speech.mentions_bot or speech.channel_kind is ChannelKind.DIRECT
