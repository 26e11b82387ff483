"""The Slack client of each tenant, found without asking Slack or the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from athenaeum.slack.client import SlackClient, open_session
from athenaeum.tenants.tokens import InstalledToken

if TYPE_CHECKING:
    from collections.abc import Iterator

    import aiohttp

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.installation import OAuthClient
    from athenaeum.tenants.vault import Vault


class Clients(Mapping["TenantId", SlackClient]):
    """A client for any tenant whose token is stored, from the moment it is; an async context manager.

    With a vault every tenant has one: it reads the token with its first call, and where there is none that call says
    so. Without a vault those have one that were `put` here. All share one HTTP session.
    """

    def __init__(
        self, database: DatabaseConnection, vault: Vault | None, oauth: OAuthClient | None, *, base_url: str
    ) -> None:
        """Nothing is opened yet; `base_url` is the Web API's."""
        self._database = database
        self._vault = vault
        self._oauth = oauth
        self._base_url = base_url
        self._session: aiohttp.ClientSession | None = None
        self._known: dict[TenantId, SlackClient] = {}

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._session = open_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    def put(self, tenant: TenantId, client: SlackClient) -> None:
        """The tenant's client from now on."""
        self._known[tenant] = client

    def __getitem__(self, tenant: TenantId) -> SlackClient:
        """The tenant's client."""
        known = self._known.get(tenant)
        if known is not None or self._vault is None:
            return self._known[tenant]
        token = InstalledToken(self._database, self._vault, tenant, self._oauth)
        self._known[tenant] = SlackClient(token, base_url=self._base_url, session=self._session)
        return self._known[tenant]

    def __iter__(self) -> Iterator[TenantId]:
        """The tenants whose clients were used so far."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many were used so far."""
        return len(self._known)
