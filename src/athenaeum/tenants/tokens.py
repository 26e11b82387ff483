"""A workspace's token as it is now: read from the database, renewed before it ends, and given up when Slack says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import DBAPIError

from athenaeum.database.connection import retrying, transient
from athenaeum.errors import Discard, Misconfigured, RetryLater
from athenaeum.observability.metrics import TOKEN_RENEWALS
from athenaeum.slack.errors import SlackFailure, TokenRefused
from athenaeum.tenants import installations, register

if TYPE_CHECKING:
    from collections.abc import Callable

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.installation import BotCredentials, OAuthClient
    from athenaeum.tenants.vault import Vault

log = structlog.get_logger(__name__)

REFUSED = "Slack refuses the token"
"""How the reason begins that a tenant is disabled for, when nobody meant that to happen."""
_FRESH = timedelta(minutes=1)
"""How long a token is used without a look at the database, where another process may have put a newer one."""
_AHEAD = timedelta(minutes=30)
"""How long before its end a token is renewed; Slack's live for twelve hours."""
_PAUSE = timedelta(seconds=30)
"""How long after a renewal that found Slack away none is tried ahead of time."""
_EXPIRED = "token_expired"
_TAKEN_BACK = frozenset({"account_inactive", "invalid_auth", _EXPIRED, "token_revoked"})
_OURS = frozenset({"bad_client_secret", "invalid_client_id", "invalid_client", "oauth_authorization_url_mismatch"})


class InstalledToken:
    """One tenant's token. Any number of processes may have one: one of them renews it, and the others wait for that."""

    def __init__(
        self,
        database: DatabaseConnection,
        vault: Vault,
        tenant: TenantId,
        oauth: OAuthClient | None,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is read yet; without `oauth` a token that is rotated cannot be renewed."""
        self._database = database
        self._vault = vault
        self._tenant = tenant
        self._oauth = oauth
        self._clock = clock
        self._known: BotCredentials | None = None
        self._read_at: datetime | None = None
        self._not_before: datetime | None = None
        self._renewing = asyncio.Lock()

    async def current(self) -> str:
        """The token for a call.

        Raises:
            Discard: the workspace has uninstalled the app, or taken the token back.
            RetryLater: no token is stored yet.
        """
        now = self._clock()
        if self._known is None or self._read_at is None or now - self._read_at > _FRESH:
            self._known, self._read_at = await self._load(), now
        known = self._known
        ends = known.expires_at
        if ends is None or now < ends - _AHEAD or (self._not_before and now < min(self._not_before, ends)):
            return known.token
        try:
            return await self._renewed(known.token)
        except RetryLater as error:
            self._not_before = now + _PAUSE
            if now >= ends:
                raise
            log.warning("token.not_renewed", tenant=str(self._tenant), reason=str(error))
            return known.token

    async def renew(self, refused: str, error: TokenRefused) -> str:
        """A newer token than the refused one: another process's, or one that Slack gives for the refresh token.

        Raises:
            Discard: there is none; the workspace is disabled from now on.
            TokenRefused: the error, where another token would be refused as well.
            RetryLater: Slack cannot be asked for one.
        """
        if error.code not in _TAKEN_BACK:
            raise error
        return await self._renewed(refused, error)

    async def _renewed(self, stale: str, refused: TokenRefused | None = None) -> str:
        async with self._renewing:
            renewed: BotCredentials | None = None
            try:
                # One of all processes gets the row and asks Slack; the others wait here, and then find the answer.
                async with self._database.session(self._tenant) as session:
                    known = await installations.load(session, self._vault, self._tenant, alone=True)
                    if known is not None and known.token == stale:
                        known = renewed = await self._successor(known, refused)
                        if renewed is None:
                            await register.disable(session, self._tenant, _reason(refused), is_gone=True)
                        else:
                            await installations.renew(session, self._vault, self._tenant, renewed)
            except DBAPIError as error:
                if renewed is None or not transient(error):
                    raise
                known = renewed
                await self._store(stale, renewed)
            if known is None:
                self._known = None
                raise Discard(f"the workspace of tenant {self._tenant} has taken its token back")
            self._known, self._read_at = known, self._clock()
            return known.token

    async def _successor(self, stored: BotCredentials, refused: TokenRefused | None) -> BotCredentials | None:
        """What follows the stored credentials; None when Slack gives nothing for them any more."""
        if stored.refresh_token is None or (refused is not None and refused.code != _EXPIRED):
            renewed = None
        else:
            renewed = await self._refresh(stored.refresh_token)
        TOKEN_RENEWALS.labels("refused" if renewed is None else "renewed").inc()
        return renewed

    async def _store(self, stale: str, renewed: BotCredentials) -> None:
        """Again, after the database was lost at the wrong moment: the refresh token is spent already."""
        async for attempt in retrying():
            with attempt:
                async with self._database.session(self._tenant) as session:
                    stored = await installations.load(session, self._vault, self._tenant, alone=True)
                    if stored is not None and stored.token == stale:
                        await installations.renew(session, self._vault, self._tenant, renewed)

    async def _refresh(self, refresh_token: str) -> BotCredentials | None:
        if self._oauth is None:
            raise Misconfigured(
                f"the token of tenant {self._tenant} is rotated: SLACK_CLIENT_ID and SLACK_CLIENT_SECRET renew it"
            )
        try:
            return await self._oauth.refresh(refresh_token)
        except RetryLater:
            raise
        except SlackFailure as error:
            if error.code in _OURS:
                raise Misconfigured(
                    f"Slack answered {error.code}: set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET to the app's"
                ) from error
            log.error("token.refused", tenant=str(self._tenant), code=error.code)  # noqa: TRY400 - the code says all
            return None

    async def _load(self) -> BotCredentials:
        async with self._database.session(self._tenant) as session:
            stored = await installations.load(session, self._vault, self._tenant)
            if stored is None and not await register.served(session):
                raise Discard(f"the workspace of tenant {self._tenant} is disabled")
        if stored is None:
            raise RetryLater(f"no token is stored for the workspace of tenant {self._tenant}: install the app there")
        return stored


def _reason(refused: TokenRefused | None) -> str:
    return f"{REFUSED}: {refused.code if refused else _EXPIRED}"
