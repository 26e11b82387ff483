"""A server as an HTTP application: its own path, the metadata beside it, and health like every process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.middleware import Middleware
from starlette.responses import Response

from athenaeum.observability.health import Probes, health_router

if TYPE_CHECKING:
    from fastmcp import FastMCP
    from starlette.types import ASGIApp, Receive, Scope, Send


def build_app(server: FastMCP[Any], *, path: str, address: str, probes: Probes) -> FastAPI:
    """`path`, the protected resource's metadata, `/health`, `/ready`, `/live` and `/metrics`.

    `address` is how clients reach it from outside: its host and origin are answered, besides loopback and the address
    that is listened on; any other may be a browser that was led here (DNS rebinding).
    """
    outside = urlsplit(address)
    inner = server.http_app(
        path=path,
        middleware=[Middleware(Taciturn, path=path)],
        json_response=True,  # no tool has anything to say before it is done
        stateless_http=False,
        host_origin_protection=True,
        allowed_hosts=[outside.hostname or ""],
        allowed_origins=[f"{outside.scheme}://{outside.netloc}"],
    )
    app = FastAPI(title="Athenaeum", docs_url=None, redoc_url=None, openapi_url=None, lifespan=inner.lifespan)
    app.include_router(health_router(probes))
    app.mount("/", inner)
    return app


class Taciturn:
    """Refuses the stream of what a server says unasked: ours say nothing, and it would hold up the process's end."""

    def __init__(self, app: ASGIApp, *, path: str) -> None:
        """`path` is the server's."""
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on; who bears no token hears that first."""
        listens = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == self._path
        if listens and isinstance(scope.get("user"), AuthenticatedUser):
            await Response(status_code=405, headers={"Allow": "POST, DELETE"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)
