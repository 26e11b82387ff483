"""The gateway's HTTP application: health for every process that serves it, events where there is a listener."""

from __future__ import annotations

from fastapi import FastAPI

from athenaeum.gateway.installer import Installer
from athenaeum.gateway.listener import Listener
from athenaeum.gateway.oauth import oauth_router
from athenaeum.gateway.webhook import webhook_router
from athenaeum.observability.health import Probes, health_router


def build_app(
    *,
    probes: Probes,
    listener: Listener | None = None,
    signing_secret: str | None = None,
    installer: Installer | None = None,
) -> FastAPI:
    """`/health`, `/ready`, `/live` and `/metrics`; with a listener also `POST /slack/events`.

    With an installer also `/slack/install` and `/slack/oauth_redirect`.
    """
    app = FastAPI(title="Athenaeum", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(health_router(probes))
    if listener is not None:
        app.include_router(webhook_router(listener, signing_secret))
    if installer is not None:
        app.include_router(oauth_router(installer))
    return app
