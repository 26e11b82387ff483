"""Installing the app in one more workspace: what a browser begins, Slack grants, and the register keeps."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import func, select

from athenaeum.conversations.sync.refresh import refresh_workspace
from athenaeum.database.audit import ITSELF, Deed, record
from athenaeum.errors import AthenaeumError
from athenaeum.slack.client import SlackClient
from athenaeum.tenants import installations, register

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.tenant import Tenant
    from athenaeum.slack.installation import Installation, OAuthClient
    from athenaeum.tenants.vault import Vault

log = structlog.get_logger(__name__)

LASTING = timedelta(minutes=10)
"""How long a person may take on Slack's page."""


class Stray(AthenaeumError):  # noqa: N818 - named for what it means, like the other errors
    """The browser brings back what was not given to it, or not in time, or twice."""


class Installer:
    """Begins installations and ends them; any process may end what another has begun."""

    def __init__(self, database: DatabaseConnection, vault: Vault, oauth: OAuthClient, *, base_url: str) -> None:
        """`base_url` is the Web API's."""
        self._database = database
        self._vault = vault
        self._oauth = oauth
        self._base_url = base_url

    async def begin(self, browser: str) -> str:
        """Where the person goes on; only `browser`, a secret in its cookie, may come back from there."""
        state = secrets.token_urlsafe(32)
        async with self._database.session() as session:
            await session.execute(select(func.oauth_begin(_digest(state), _digest(browser), LASTING)))
        return self._oauth.authorize_url(state)

    async def end(self, *, state: str, browser: str, code: str) -> Tenant:
        """Exchange the code, and give the tenant whose workspace is served from now on.

        Raises:
            Stray: this browser has not begun it, or has ended it before, or was too slow.
            SlackFailure: Slack gives nothing for the code.
        """
        await self._check(state, browser)
        return await self.install(await self._oauth.exchange(code))

    async def refuse(self, *, state: str, browser: str) -> None:
        """The person said no: the state is spent. Raises Stray like `end`."""
        await self._check(state, browser)

    async def install(self, installation: Installation) -> Tenant:
        """Serve the workspace that an installation is of, and have it read."""
        async with SlackClient(installation.credentials.token, base_url=self._base_url) as slack:
            identity = await slack.auth_test()
        tenant = await register.bind(self._database, identity)
        async with self._database.session(tenant.id) as session:
            await installations.save(session, self._vault, tenant.id, installation)
            await refresh_workspace(session, tenant.id, cause=secrets.token_hex(8))
            await record(
                session,
                Deed.INSTALLED,
                tenant=tenant.id,
                actor=installation.installer or ITSELF,
                subject=identity.team_id,
                scopes=sorted(installation.scopes),
            )
        # who finds the former token refused meanwhile disables the tenant before its new token is stored, never after
        async with self._database.session() as session:
            await register.enable(session, tenant.id)
        log.info("workspace.installed", tenant=str(tenant.id), team=identity.team_id, enterprise=identity.enterprise_id)
        return tenant

    async def _check(self, state: str, browser: str) -> None:
        async with self._database.session() as session:
            fits = await session.scalar(select(func.oauth_end(_digest(state), _digest(browser))))
        if not fits:
            raise Stray("this installation was not begun in this browser within the last ten minutes")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
