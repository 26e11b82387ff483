"""An event hinted at a channel or a person that we don't know, or not any more: read it from Slack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog

from athenaeum.conversations.sync import sync_channel, sync_person
from athenaeum.conversations.sync.gaps import Hear
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import Event
from athenaeum.domain.identity import ChannelId, TenantId, UserId
from athenaeum.errors import Discard, Refused, RetryLater
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import SlackFailure

log = structlog.get_logger(__name__)


class _Refresh:
    """What the two handlers share: what Slack doesn't let us see stays unknown, which is no failure."""

    def __init__(self, database: DatabaseConnection, clients: Mapping[TenantId, SlackClient]) -> None:
        """`clients` may grow while it is used: a workspace's is there once Slack has told whose token it is."""
        self._database = database
        self._clients = clients

    async def give_up(self, event: Event, error: Exception) -> None:
        """Nobody waits for it; it is read again at the next start."""
        log.warning("refresh.given_up", event_id=event.id, kind=event.kind, error=str(error))

    async def _read(
        self,
        event: Event,
        field: str,
        read: Callable[[DatabaseConnection, SlackClient, TenantId, str], Awaitable[None]],
    ) -> None:
        subject = event.payload.get(field)
        if not isinstance(subject, str):
            raise Refused(f'the payload of {event.kind} is {{"{field}": its id}}')
        client = self._clients.get(event.tenant)
        if client is None:
            raise RetryLater("the workspace is not connected yet: is SLACK_BOT_TOKEN its bot's?")
        try:
            await read(self._database, client, event.tenant, subject)
        except Refused as error:
            if isinstance(error, SlackFailure):
                raise Discard(f"Slack doesn't show it to us: {error}") from error
            raise


class ChannelHandler(_Refresh):
    """Handles `slack.channel`: the channel, its members, and what was said there."""

    def __init__(
        self, database: DatabaseConnection, clients: Mapping[TenantId, SlackClient], hear: Hear | None = None
    ) -> None:
        """What is still fresh is told to `hear`: a mention before the bot was let in, for instance."""
        super().__init__(database, clients)
        self._hear = hear

    async def handle(self, event: Event) -> None:
        """Read the channel."""
        await self._read(event, "channel", self._channel)

    async def _channel(self, database: DatabaseConnection, client: SlackClient, tenant: TenantId, channel: str) -> None:
        await sync_channel(database, client, tenant, ChannelId(channel), hear=self._hear)


class PersonHandler(_Refresh):
    """Handles `slack.person`: who somebody is."""

    async def handle(self, event: Event) -> None:
        """Read the person."""
        await self._read(event, "user", _person)


async def _person(database: DatabaseConnection, client: SlackClient, tenant: TenantId, user: str) -> None:
    await sync_person(database, client, tenant, UserId(user))
