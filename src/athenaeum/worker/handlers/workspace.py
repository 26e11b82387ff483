"""A workspace was installed, its connection was lost and is back, or it is time to look: read what no event told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import structlog

from athenaeum.errors import RetryLater

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.conversations.sync.gaps import Hear
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)


class Read(Protocol):
    """`sync_workspace`, or the part of it that is `sync_histories`."""

    async def __call__(
        self, database: DatabaseConnection, client: SlackClient, tenant: TenantId, *, hear: Hear | None = None
    ) -> object:
        """Read from Slack into the archive."""
        ...


class WorkspaceHandler:
    """Handles what reads a workspace through; begun again it reads on where each channel had got to."""

    def __init__(
        self,
        database: DatabaseConnection,
        clients: Mapping[TenantId, SlackClient],
        read: Read,
        *,
        hear: Hear | None = None,
    ) -> None:
        """`clients` may grow while it is used; `hear` is told what is still fresh."""
        self._database = database
        self._clients = clients
        self._read = read
        self._hear = hear

    async def handle(self, event: Event) -> None:
        """Read."""
        client = self._clients.get(event.tenant)
        if client is None:
            raise RetryLater("the workspace is not connected yet: is SLACK_BOT_TOKEN its bot's?")
        await self._read(self._database, client, event.tenant, hear=self._hear)

    async def give_up(self, event: Event, error: Exception) -> None:
        """Nobody waits for it; the next look reads from the same watermarks."""
        log.warning("refresh.given_up", event_id=event.id, kind=event.kind, error=str(error))
