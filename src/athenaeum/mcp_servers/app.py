"""A server as an HTTP application: its own path, the metadata beside it, and health like every process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fastapi import FastAPI

from athenaeum.observability.health import Probes, health_router

if TYPE_CHECKING:
    from fastmcp import FastMCP


def build_app(server: FastMCP[Any], *, path: str, address: str, probes: Probes) -> FastAPI:
    """`path`, the protected resource's metadata, `/health`, `/ready`, `/live` and `/metrics`.

    `address` is how clients reach it from outside: its host and origin are answered, besides loopback and the address
    that is listened on; any other may be a browser that was led here (DNS rebinding).
    """
    outside = urlsplit(address)
    inner = server.http_app(
        path=path,
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
