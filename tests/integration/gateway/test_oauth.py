"""The pages that anybody may open who finds them."""

from __future__ import annotations

from datetime import timedelta

import httpx2
from fastapi import FastAPI

from athenaeum.database.connection import DatabaseConnection
from athenaeum.gateway.installer import Installer
from athenaeum.gateway.oauth import oauth_router
from athenaeum.slack.installation import OAuthClient
from athenaeum.tenants.limits import Rate
from athenaeum.tenants.vault import Vault
from support.installing import KEY


async def test_who_opens_the_pages_too_often_is_told_when_to_come_again_and_leaves_nothing_behind(
    database_url: str,
) -> None:
    slack = "http://127.0.0.1:1/api/"
    app = FastAPI()
    async with DatabaseConnection(database_url) as database:
        installer = Installer(database, Vault([KEY]), OAuthClient("1.1", "secret", base_url=slack), base_url=slack)
        app.include_router(oauth_router(installer, rate=Rate(2, timedelta(hours=1))))
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://gateway") as browser:
            first = await browser.get("/slack/install")
            stray = await browser.get("/slack/oauth_redirect?state=none&code=none")
            refused = [await browser.get(path) for path in ("/slack/install", "/slack/oauth_redirect?state=none")]

    assert (first.status_code, stray.status_code) == (200, 400)
    assert [page.status_code for page in refused] == [429, 429]
    assert "Nothing was installed" in refused[0].text
    assert 3500 < int(refused[0].headers["retry-after"]) <= 3600
    assert "set-cookie" not in refused[0].headers
