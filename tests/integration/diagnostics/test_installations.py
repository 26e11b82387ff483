from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.diagnostics import Finding, Verdict
from athenaeum.slack.installation import BotCredentials, Installation
from athenaeum.tenants import installations, register
from athenaeum.tenants.vault import Vault
from slacksim.server import SlackSim
from support.installing import KEY
from support.slack_events import IDENTITY

Look = Callable[..., Awaitable[dict[str, Finding]]]


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as opened:
        tenant = await register.bind(opened, IDENTITY)
        async with opened.session(tenant.id) as session:
            granted = Installation(BotCredentials("xoxb-" + "secret"), (), None)
            await installations.save(session, Vault([KEY]), tenant.id, granted)
        yield opened


@pytest.fixture
def distributed(sim: SlackSim) -> dict[str, str]:
    """Settings for workspaces that install the app themselves."""
    oauth = sim.simulation.oauth
    return {
        "slack_client_id": oauth.client_id,
        "slack_client_secret": oauth.client_secret,
        "slack_signing_secret": sim.world.app.signing_secret,
        "slack_api_url": sim.api_url,
        "secret_key": KEY,
    }


async def test_before_the_first_installation_it_says_where_that_begins(look: Look, distributed: dict[str, str]) -> None:
    found = await look(**distributed)

    assert found["installations"].status is Verdict.WARNING
    assert "/slack/install" in str(found["installations"].mend)
    assert "bot token" not in found


async def test_a_workspace_that_can_be_served(
    look: Look, distributed: dict[str, str], database: DatabaseConnection
) -> None:
    found = await look(**distributed)

    assert found["installations"].detail == "workspaces that are served: 1"
    assert Verdict.FAULT not in {finding.status for finding in found.values()}


async def test_a_key_that_does_not_fit(look: Look, distributed: dict[str, str], database: DatabaseConnection) -> None:
    found = await look(**{**distributed, "secret_key": "B" * 43 + "="})

    assert found["installations"].detail == "the token of Lantern cannot be decrypted"
    assert "ATHENAEUM_SECRET_KEY" in str(found["installations"].mend)


async def test_a_workspace_whose_token_slack_refuses(
    look: Look, distributed: dict[str, str], database: DatabaseConnection
) -> None:
    tenant = await register.resolve(database, IDENTITY.team_id, None)
    assert tenant is not None
    async with database.session() as session:
        await register.disable(session, tenant.id, "Slack refuses the token: token_revoked", is_gone=True)

    found = await look(**distributed)

    assert found["installations"].status is Verdict.FAULT
    assert "Lantern" in found["installations"].detail
    assert "/slack/install" in str(found["installations"].mend)


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({"secret_key": "short"}, "openssl rand -base64 32"),
        ({"secret_key": None}, "ATHENAEUM_SECRET_KEY: needed with SLACK_CLIENT_ID"),
        ({"slack_client_secret": None}, "set it and SLACK_CLIENT_SECRET together"),
    ],
)
async def test_settings_that_do_not_fit_together_are_one_line(
    look: Look, distributed: dict[str, str], wrong: dict[str, str | None], mend: str
) -> None:
    found = await look(**{**distributed, **wrong})

    assert found["settings"].status is Verdict.FAULT
    assert mend in found["settings"].detail
