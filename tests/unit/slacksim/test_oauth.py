"""The app is let into a workspace by a real slack-sdk client, and its tokens rotate."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from slacksim import scenario
from slacksim.server import SlackSim

OTHER = {"team": {"name": "Other", "domain": "other"}, "users": [{"name": "ines"}], "channels": [{"name": "general"}]}


@pytest.fixture
async def sim() -> AsyncIterator[SlackSim]:
    async with SlackSim(scenario.load(), others=[scenario.build(OTHER)]) as running:
        yield running


@pytest.fixture
async def web(sim: SlackSim) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(base_url=sim.api_url, session=session, retry_handlers=[])


async def _granted(sim: SlackSim, web: AsyncWebClient, **given: str) -> dict[str, object]:
    oauth = sim.simulation.oauth
    answer = await web.oauth_v2_access(client_id=oauth.client_id, client_secret=oauth.client_secret, **given)
    assert isinstance(answer.data, dict)
    return answer.data


async def test_a_code_is_good_once_and_its_token_is_of_its_workspace(sim: SlackSim, web: AsyncWebClient) -> None:
    other = sim.simulation.worlds[1]
    code = sim.simulation.oauth.grant(other.team.id)
    granted = await _granted(sim, web, code=code)

    told = await web.auth_test(token=str(granted["access_token"]))
    assert (told["team_id"], told["user_id"]) == (other.team.id, other.app.user_id)
    with pytest.raises(SlackApiError, match="invalid_code"):
        await _granted(sim, web, code=code)


async def test_a_refresh_token_is_good_once(sim: SlackSim, web: AsyncWebClient) -> None:
    sim.simulation.oauth.rotates = True
    other = sim.simulation.worlds[1]
    first = await _granted(sim, web, code=sim.simulation.oauth.grant(other.team.id))
    sim.simulation.oauth.expire(other)
    with pytest.raises(SlackApiError, match="token_expired"):
        await web.auth_test(token=str(first["access_token"]))

    spent = {"grant_type": "refresh_token", "refresh_token": str(first["refresh_token"])}
    second = await _granted(sim, web, **spent)
    assert (await web.auth_test(token=str(second["access_token"])))["ok"]
    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        await _granted(sim, web, **spent)


async def test_the_page_leads_back_with_a_code_or_with_a_no(sim: SlackSim) -> None:
    oauth = sim.simulation.oauth
    query = {"client_id": oauth.client_id, "state": "s&1", "redirect_uri": "http://127.0.0.1:9/back", "scope": "a,b"}
    async with aiohttp.ClientSession(sim.url) as browser:
        async with browser.get("/oauth/v2/authorize", params=query) as page:
            shown = await page.text()
        assert "Allow in Other" in shown
        assert "s&amp;1" in shown
        for place, wanted in ((sim.simulation.worlds[1].team.id, "code="), ("", "error=access_denied")):
            form = {"state": "s&1", "redirect_uri": "http://127.0.0.1:9/back", "place": place}
            async with browser.post("/oauth/v2/authorize", data=form, allow_redirects=False) as sent:
                assert sent.status == 302
                assert wanted in sent.headers["Location"]
                assert "state=s%261" in sent.headers["Location"]


async def test_after_an_uninstallation_no_token_is_good_and_no_event_comes(sim: SlackSim, web: AsyncWebClient) -> None:
    other = sim.simulation.worlds[1]
    granted = await _granted(sim, web, code=sim.simulation.oauth.grant(other.team.id))
    sim.simulation.uninstall(other)

    with pytest.raises(SlackApiError, match="token_revoked"):
        await web.auth_test(token=str(granted["access_token"]))
    kinds = [sent.payload["event"]["type"] for sent in sim.simulation.outbox.deliveries]
    assert kinds == ["tokens_revoked", "app_uninstalled"]


async def test_a_wrong_secret_is_refused(sim: SlackSim, web: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="bad_client_secret"):
        await web.oauth_v2_access(client_id=sim.simulation.oauth.client_id, client_secret="wrong", code="x")
