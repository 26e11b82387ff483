"""The Slack workspace that the configured bot token belongs to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.conversations.sync import sync_workspace
from athenaeum.database.connection import transient
from athenaeum.errors import RetryLater
from athenaeum.observability.health import Probe, Status
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import SlackFailure
from athenaeum.tenants import register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId
    from athenaeum.domain.tenant import Tenant

log = structlog.get_logger(__name__)

_PAUSE = 3.0  # seconds between attempts while Slack cannot be reached


class Workspace:
    """Knows the workspace's tenant as soon as Slack has told it; an async context manager.

    `clients` maps the tenant to its client and fills when the workspace is known.
    """

    def __init__(self, config: Config, database: DatabaseConnection) -> None:
        """Nothing is opened; without a bot token nothing ever is."""
        self._database = database
        self._clients: dict[TenantId, SlackClient] = {}
        self._tenant: asyncio.Future[Tenant] | None = None
        self._fault = "not asked yet"
        self.synced = asyncio.Event()
        self.client: SlackClient | None = None
        if config.slack_bot_token is not None:
            self.client = SlackClient(config.slack_bot_token.get_secret_value(), base_url=config.slack_api_url)

    @property
    def clients(self) -> Mapping[TenantId, SlackClient]:
        """The clients by tenant; a view that grows."""
        return self._clients

    async def __aenter__(self) -> Self:
        """Open the client."""
        self._tenant = asyncio.get_running_loop().create_future()
        if self.client is not None:
            await self.client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        if self.client is not None:
            await self.client.close()

    async def connect(self) -> None:
        """Ask Slack whose token it is and bind the tenant, waiting while Slack or the database cannot be reached.

        Raises:
            Misconfigured: the token was refused.
        """
        if self.client is None or self._tenant is None:
            return
        while True:
            try:
                tenant = await register.bind(self._database, await self.client.auth_test())
            except RetryLater as error:
                self._fault = f"Slack cannot be reached: {error}"
                log.warning("slack.unreachable", reason=str(error), retry_in=_PAUSE)
            except (SQLAlchemyError, OSError) as error:
                if not transient(error):
                    raise
                self._fault = "the database cannot be reached"
                log.warning("workspace.unbound", error=type(error).__name__, retry_in=_PAUSE)
            else:
                break
            await asyncio.sleep(_PAUSE)
        self._clients[tenant.id] = self.client
        self._tenant.set_result(tenant)
        log.info("slack.connected", team=tenant.team_id, tenant=str(tenant.id))

    async def sync(self) -> None:
        """Read the people, channels, members and latest messages that events have not told, and say when it is done."""
        if self.client is None:
            return
        tenant = await self.tenant()
        while True:
            try:
                await sync_workspace(self._database, self.client, tenant.id)
            except (RetryLater, SQLAlchemyError, OSError) as error:
                if not (isinstance(error, RetryLater) or transient(error)):
                    raise
                log.warning("sync.interrupted", error=type(error).__name__, retry_in=_PAUSE)
                await asyncio.sleep(_PAUSE)
                continue
            except SlackFailure as error:  # what events tell is enough to answer; what was said before stays unknown
                log.error("sync.refused", reason=str(error))  # noqa: TRY400 - the reason says all; no traceback
            self.synced.set()
            return

    async def tenant(self) -> Tenant:
        """The workspace's tenant, once it is known."""
        assert self._tenant is not None
        return await asyncio.shield(self._tenant)

    async def probe(self) -> Probe:
        """Whether the workspace is known."""
        if self.client is None:
            return Probe(Status.DEGRADED, "SLACK_BOT_TOKEN is not set")
        known = self._tenant is not None and self._tenant.done()
        return Probe(Status.UP) if known else Probe(Status.DOWN, self._fault)
