"""A connection was lost and is back, or it is time to look: read what no event has told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations.sync import sync_histories
from athenaeum.errors import RetryLater

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.conversations.gaps import Hear
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)


class HistoriesHandler:
    """Handles `slack.histories`; begun again it reads on where each channel had got to."""

    def __init__(
        self, database: DatabaseConnection, clients: Mapping[TenantId, SlackClient], hear: Hear | None
    ) -> None:
        """`clients` may grow while it is used; `hear` is told what is still fresh."""
        self._database = database
        self._clients = clients
        self._hear = hear

    async def handle(self, event: Event) -> None:
        """Read every channel's history from its watermark on."""
        client = self._clients.get(event.tenant)
        if client is None:
            raise RetryLater("the workspace is not connected yet: is SLACK_BOT_TOKEN its bot's?")
        await sync_histories(self._database, client, event.tenant, hear=self._hear)

    async def give_up(self, event: Event, error: Exception) -> None:
        """Nobody waits for it; the next look reads from the same watermark."""
        log.warning("histories.given_up", event_id=event.id, error=str(error))
