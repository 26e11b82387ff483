"""The Slack workspaces: the one that the configured bot token belongs to, and those that installed the app."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.conversations.sync import sync_workspace
from athenaeum.conversations.sync.refresh import refresh_workspace
from athenaeum.database.connection import transient
from athenaeum.errors import RetryLater
from athenaeum.gateway.installer import Installer
from athenaeum.observability.health import Probe, Status
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import SlackFailure
from athenaeum.slack.installation import BotCredentials, Installation, OAuthClient
from athenaeum.tenants import installations, register
from athenaeum.tenants.clients import Clients
from athenaeum.tenants.tokens import REFUSED
from athenaeum.tenants.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from athenaeum.config import Config
    from athenaeum.conversations.sync.gaps import Hear
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId
    from athenaeum.domain.tenant import Tenant

log = structlog.get_logger(__name__)

_PAUSE = 3.0  # seconds between attempts while Slack cannot be reached


class Workspace:
    """Knows the workspace's tenant as soon as Slack has told it, and every workspace's client.

    An async context manager. With `ATHENAEUM_SECRET_KEY` the bot token is stored like those of installed workspaces,
    so that each process that has the key serves all of them.
    """

    def __init__(self, config: Config, database: DatabaseConnection) -> None:
        """Nothing is opened."""
        self._database = database
        self._base_url = config.slack_api_url
        self._vault = Vault(config.secret_keys) if config.secret_keys else None
        self._oauth: OAuthClient | None = None
        if config.slack_client_id is not None and config.slack_client_secret is not None:
            secret = config.slack_client_secret.get_secret_value()
            self._oauth = OAuthClient(config.slack_client_id, secret, base_url=self._base_url)
        self._clients = Clients(database, self._vault, self._oauth, base_url=self._base_url)
        self._tenant: asyncio.Future[Tenant] | None = None
        self._fault = "not asked yet"
        self.synced = asyncio.Event()
        self.client: SlackClient | None = None
        if config.slack_bot_token is not None:
            token = config.slack_bot_token.get_secret_value()
            self._own = Installation(BotCredentials(token), (), None)
            self.client = SlackClient(token, base_url=config.slack_api_url)

    @property
    def clients(self) -> Mapping[TenantId, SlackClient]:
        """The clients by tenant; a view that grows."""
        return self._clients

    @property
    def tenants(self) -> Collection[TenantId] | None:
        """The tenants whose events can be worked on here, which may grow; None: all of them."""
        return self._clients if self._vault is None else None

    @property
    def installer(self) -> Installer | None:
        """Installs the app in more workspaces; None without the app's id and secret."""
        if self._oauth is None or self._vault is None:
            return None
        return Installer(self._database, self._vault, self._oauth, base_url=self._base_url)

    async def __aenter__(self) -> Self:
        """Open the clients."""
        self._tenant = asyncio.get_running_loop().create_future()
        await self._clients.__aenter__()
        if self.client is not None:
            await self.client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the clients."""
        if self.client is not None:
            await self.client.close()
        await self._clients.__aexit__()

    async def connect(self) -> None:
        """Ask Slack whose token it is and bind the tenant, waiting while Slack or the database cannot be reached.

        Raises:
            Misconfigured: the token was refused.
        """
        if self.client is None or self._tenant is None:
            return
        while True:
            try:
                tenant = await self._bind(self.client)
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
        self._tenant.set_result(tenant)
        log.info("slack.connected", team=tenant.team_id, tenant=str(tenant.id))

    async def _bind(self, client: SlackClient) -> Tenant:
        tenant = await register.bind(self._database, await client.auth_test())
        if self._vault is None:
            self._clients.put(tenant.id, client)
        else:
            async with self._database.session(tenant.id) as session:
                await installations.save(session, self._vault, tenant.id, self._own)
        return tenant

    async def sync(self, hear: Hear | None = None) -> None:
        """Read the people, channels, members and latest messages that events have not told, and say when it is done.

        What is still fresh is told to `hear`. Workers read the other workspaces.
        """
        cause = secrets.token_hex(8)
        while True:
            try:
                await self._have_others_read(cause)
                if self.client is not None:
                    tenant = await self.tenant()
                    await sync_workspace(self._database, self._clients[tenant.id], tenant.id, hear=hear)
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
        """Whether the own workspace is known, and how the installed ones are."""
        if self.client is None and self._oauth is None:
            return Probe(Status.DEGRADED, "SLACK_BOT_TOKEN is not set")
        if self.client is not None and not (self._tenant is not None and self._tenant.done()):
            return Probe(Status.DOWN, self._fault)
        try:
            found = [tenant for tenant in await register.every(self._database) if tenant.is_connected]
        except (SQLAlchemyError, OSError):
            return Probe(Status.DEGRADED, "unknown while the database is away")
        refused = [tenant for tenant in found if tenant.disabled_because and REFUSED in tenant.disabled_because]
        facts = {"workspaces": sum(tenant.disabled_because is None for tenant in found), "refused": len(refused)}
        if refused:
            names = ", ".join(tenant.name for tenant in refused[:3])
            return Probe(Status.DEGRADED, f"{REFUSED} of {names}: install the app there again", facts)
        return Probe(Status.UP, facts=facts)

    async def _have_others_read(self, cause: str) -> None:
        if self._vault is None:
            return
        own = await self.tenant() if self.client is not None else None
        for tenant in await register.every(self._database):
            if tenant.is_connected and tenant.disabled_because is None and tenant != own:
                async with self._database.session(tenant.id) as session:
                    await refresh_workspace(session, tenant.id, cause=cause)
