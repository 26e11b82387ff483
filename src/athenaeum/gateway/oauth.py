"""`GET /slack/install` and `/slack/oauth_redirect`: the pages by which a person lets the app into a workspace."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from athenaeum.errors import AthenaeumError
from athenaeum.gateway.installer import LASTING, Installer, Stray
from athenaeum.gateway.turnstile import Turnstile
from athenaeum.slack.errors import SlackFailure
from athenaeum.tenants.limits import Rate

if TYPE_CHECKING:
    from datetime import timedelta

    from athenaeum.domain.tenant import Tenant

log = structlog.get_logger(__name__)

_COOKIE = "athenaeum_install"
_PATH = "/slack"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_RATE = Rate.per_minute(60)
"""Both pages of 30 people; each request writes to the database before anybody knows who asks."""
_AGAIN = {"href": f"{_PATH}/install", "label": "Try again"}
_pages = Environment(loader=PackageLoader(__package__ or "athenaeum.gateway", "pages"), autoescape=True)
_pages.undefined = StrictUndefined


def oauth_router(installer: Installer, *, rate: Rate = _RATE) -> APIRouter:
    """The two routes; whoever reaches them may install the app in a workspace of their own, at this rate together."""
    router = APIRouter()
    turnstile = Turnstile(rate)

    @router.get("/slack/install")
    async def install(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction] - FastAPI keeps it
        if pause := turnstile.wait():
            return _busy(pause)
        browser = request.cookies.get(_COOKIE) or secrets.token_urlsafe(32)
        button = {"href": await installer.begin(browser), "label": "Add to Slack"}
        page = _page("An AI teammate that answers in the thread, once, with sources.", "offer", button=button)
        page.set_cookie(
            _COOKIE,
            browser,
            max_age=int(LASTING.total_seconds()),
            path=_PATH,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",  # the way back from Slack is a link, which a strict one would not follow
        )
        return page

    @router.get("/slack/oauth_redirect")
    async def oauth_redirect(request: Request) -> Response:  # pyright: ignore[reportUnusedFunction]
        if pause := turnstile.wait():
            return _busy(pause)
        try:
            return await _ended(installer, request)
        except Stray as error:
            log.warning("install.stray", reason=str(error))
            return _page("This link has expired", "stray", status=400, button=_AGAIN)
        except SlackFailure as error:
            log.warning("install.refused", code=error.code)
            return _page("Slack did not confirm it", "failed", status=502, code=error.code, button=_AGAIN)
        except AthenaeumError as error:
            log.error("install.failed", reason=str(error))  # noqa: TRY400 - the reason says all
            return _page("It did not work", "broken", status=500, button=_AGAIN)

    return router


async def _ended(installer: Installer, request: Request) -> Response:
    given = request.query_params
    state, browser = given.get("state", ""), request.cookies.get(_COOKIE, "")
    if given.get("error"):
        await installer.refuse(state=state, browser=browser)
        return _page("Nothing was installed", "denied", status=403, button=_AGAIN)
    tenant = await installer.end(state=state, browser=browser, code=given.get("code", ""))
    return _page(f"Installed in {tenant.name}", "installed", tenant=tenant, button=_slack(tenant))


def _busy(pause: timedelta) -> Response:
    log.warning("install.too_many", seconds=pause.total_seconds())
    page = _page("Too many at once", "busy", status=429, button=_AGAIN)
    page.headers["Retry-After"] = str(math.ceil(pause.total_seconds()))
    return page


def _slack(tenant: Tenant) -> dict[str, str] | None:
    return {"href": tenant.url, "label": "Open Slack"} if tenant.url else None


def _page(title: str, name: str, *, status: int = 200, **values: object) -> HTMLResponse:
    content = _pages.get_template(f"{name}.html.j2").render(title=title, **values)
    return HTMLResponse(content, status_code=status, headers=_HEADERS)
