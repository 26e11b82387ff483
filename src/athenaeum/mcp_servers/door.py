"""The door of a server over HTTP: who bears no token of their own gets no further (RFC 6750, RFC 9728)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from fastmcp.exceptions import ToolError
from fastmcp.server.auth import AccessToken, RemoteAuthProvider, TokenVerifier
from fastmcp.server.dependencies import get_access_token
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from pydantic import AnyHttpUrl
from sqlalchemy.exc import SQLAlchemyError
from starlette.authentication import AuthenticationError
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.responses import PlainTextResponse

from athenaeum.database.connection import transient
from athenaeum.mcp_servers.reader import Reader, is_admitted
from athenaeum.observability.metrics import MCP_REFUSED

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.mcp_servers.tokens import Bearer, Tokens

log = structlog.get_logger(__name__)

_AWAY = "the database is away: try again in a moment"


class Doorman(TokenVerifier):
    """Lets in who bears a token for this server that is in force, and is now a full member of a served workspace."""

    def __init__(self, database: DatabaseConnection, tokens: Tokens, *, resource: str) -> None:
        """`resource` is the server's address, and the audience of its tokens."""
        super().__init__()
        self._database = database
        self._tokens = tokens
        self._resource = resource

    async def verify_token(self, token: str) -> AccessToken | None:
        """Whose token it is; None when nobody is let in by it."""
        bearer = self._tokens.read(token, audience=self._resource)
        if bearer is None:
            MCP_REFUSED.labels("token").inc()
            return None
        if not await self._admits(bearer):
            MCP_REFUSED.labels("person").inc()
            log.info("mcp.refused", tenant=str(bearer.reader.tenant), user=bearer.reader.user, id=str(bearer.id))
            return None
        # a session is its subject's: the library answers 404 to anybody else who names it
        return AccessToken(
            token=token,
            client_id=bearer.reader.subject,
            scopes=[],
            expires_at=int(bearer.expires_at.timestamp()),
            resource=self._resource,
            subject=bearer.reader.subject,
            claims={"iss": self._tokens.issuer, "jti": str(bearer.id)},
        )

    async def _admits(self, bearer: Bearer) -> bool:
        try:
            return await is_admitted(self._database, bearer.reader, bearer.id)
        except (SQLAlchemyError, OSError) as error:
            if not transient(error):
                raise
            log.warning("mcp.away", error=type(error).__name__)
            raise AuthenticationError(_AWAY) from error


class Entrance(RemoteAuthProvider):
    """The doorman, and the metadata by which a client learns what it needs to come in."""

    def __init__(self, doorman: Doorman, *, issuer: str, name: str) -> None:
        """`issuer` is the address before the server's path: nobody else issues tokens for it."""
        super().__init__(
            token_verifier=doorman,
            authorization_servers=[AnyHttpUrl(issuer)],
            base_url=issuer,
            resource_name=name,
        )

    def get_middleware(self) -> list[Middleware]:
        """As the library's, but an outage is no refusal: a client that heard 401 would throw its token away."""
        backend = BearerAuthBackend(self)
        return [
            Middleware(AuthenticationMiddleware, backend=backend, on_error=_unavailable),
            Middleware(AuthContextMiddleware),
        ]


def at_the_door() -> Reader:
    """Who was let in with the request that is being answered."""
    token = get_access_token()
    reader = Reader.named(token.subject or "") if token else None
    if reader is None:
        raise ToolError("Nobody is signed in.")
    return reader


def _unavailable(_: HTTPConnection, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=503, headers={"Retry-After": "5"})
