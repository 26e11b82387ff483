"""Tokens for a server, by OAuth client credentials: only ever from, and to, the issuer that the operator names.

The library looks at the metadata: a protected resource that is another one (RFC 9728, 3.3), or an authorization server
whose issuer is another (RFC 8414, 3.3), ends it before the credentials are sent. To which hosts anything is sent at all
is for `wire` to say, also for the addresses in that metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.observability.logging import adopt

if TYPE_CHECKING:
    import httpx2

    from athenaeum.tools.mcp.settings import OAuthSettings


def client_credentials(url: str, account: OAuthSettings) -> httpx2.Auth:
    """Gets a token when the server at this address first asks for one, and a new one when that has ended."""
    from fastmcp.client.auth import (  # noqa: PLC0415 - fastmcp takes a second, and few servers need it
        ClientCredentialsOAuthProvider,
    )

    adopt("fastmcp")  # it sets up a log of its own when it is imported
    return ClientCredentialsOAuthProvider(
        url,
        client_id=account.client_id,
        client_secret=account.client_secret.get_secret_value(),
        scopes=account.scope,
        issuer=account.issuer,
    )
