"""Tokens that end, are renewed by one of many, or are taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import TenantId
from athenaeum.errors import Discard, Misconfigured, RetryLater
from athenaeum.gateway.installer import Installer
from athenaeum.slack.client import SlackClient
from athenaeum.slack.installation import OAuthClient
from athenaeum.tenants import installations, register
from athenaeum.tenants.clients import Clients
from athenaeum.tenants.tokens import InstalledToken
from athenaeum.tenants.vault import Vault
from slacksim.faults import Fault
from slacksim.server import SlackSim
from slacksim.world import World
from support.installing import KEY, Hub, hub, settings
from support.product import until

VAULT = Vault([KEY])


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=5) as opened:
        yield opened


@pytest.fixture
def oauth(sim: SlackSim) -> OAuthClient:
    sim.simulation.oauth.rotates = True
    return OAuthClient(sim.simulation.oauth.client_id, sim.simulation.oauth.client_secret, base_url=sim.api_url)


@pytest.fixture
async def tenant(sim: SlackSim, database: DatabaseConnection, oauth: OAuthClient, northwind: World) -> TenantId:
    """Northwind's, whose tokens rotate."""
    installer = Installer(database, VAULT, oauth, base_url=sim.api_url)
    code = sim.simulation.oauth.grant(northwind.team.id)
    return (await installer.install(await oauth.exchange(code))).id


@pytest.fixture
async def process(
    sim: SlackSim, database_url: str, oauth: OAuthClient, tenant: TenantId
) -> AsyncGenerator[Callable[[], SlackClient]]:
    """The tenant's client in a new process each time, as far as the database can tell."""
    async with AsyncExitStack() as stack:
        made: list[Clients] = []

        for _ in range(4):
            database = await stack.enter_async_context(DatabaseConnection(database_url, pool_size=2))
            made.append(await stack.enter_async_context(Clients(database, VAULT, oauth, base_url=sim.api_url)))
        yield lambda: made.pop()[tenant]


def _renewals(sim: SlackSim) -> int:
    calls = sim.simulation.calls.of("oauth.v2.access")
    return sum(call["arguments"].get("grant_type") == "refresh_token" for call in calls)


async def test_processes_that_meet_an_ended_token_renew_it_once(
    sim: SlackSim, northwind: World, process: Callable[[], SlackClient]
) -> None:
    clients = [process() for _ in range(4)]
    for client in clients:
        await client.auth_test()
    sim.simulation.oauth.expire(northwind)

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(client.auth_test()) for client in clients for _ in range(3)]

    assert {task.result().team_id for task in asked} == {northwind.team.id}
    assert _renewals(sim) == 1


async def test_a_token_is_renewed_before_it_ends(
    sim: SlackSim, database: DatabaseConnection, oauth: OAuthClient, tenant: TenantId
) -> None:
    now = datetime.now(UTC) + timedelta(hours=11, minutes=45)
    token = InstalledToken(database, VAULT, tenant, oauth, clock=lambda: now)

    first = await token.current()

    assert first in sim.simulation.oauth.tokens
    assert _renewals(sim) == 1
    async with database.session(tenant) as session:
        stored = await installations.load(session, VAULT, tenant)
    assert stored is not None
    assert stored.token == first


async def test_while_slack_is_away_a_token_that_still_lives_is_used_and_no_storm_begins(
    sim: SlackSim, database: DatabaseConnection, oauth: OAuthClient, tenant: TenantId
) -> None:
    now = datetime.now(UTC) + timedelta(hours=11, minutes=45)
    token = InstalledToken(database, VAULT, tenant, oauth, clock=lambda: now)
    sim.simulation.faults.plan(Fault("oauth.v2.access", "500", times=100))

    assert {await token.current() for _ in range(10)} <= set(sim.simulation.oauth.tokens)
    assert _renewals(sim) == 1


async def test_an_ended_token_that_cannot_be_renewed_now_is_tried_later(
    sim: SlackSim, northwind: World, process: Callable[[], SlackClient]
) -> None:
    client = process()
    sim.simulation.oauth.expire(northwind)
    sim.simulation.faults.plan(Fault("oauth.v2.access", "500", times=1))

    with pytest.raises(RetryLater):
        await client.auth_test()
    assert (await client.auth_test()).team_id == northwind.team.id


async def test_a_refused_renewal_disables_the_workspace_and_makes_no_storm(
    sim: SlackSim, northwind: World, database: DatabaseConnection, tenant: TenantId, process: Callable[[], SlackClient]
) -> None:
    clients = [process(), process()]
    for client in clients:
        await client.auth_test()
    sim.simulation.oauth.expire(northwind)
    sim.simulation.faults.plan(Fault("oauth.v2.access", "error", times=100, error="invalid_refresh_token"))

    for client in clients * 10:
        with pytest.raises(Discard):
            await client.auth_test()

    assert _renewals(sim) == 1
    found = await register.get(database, tenant)
    assert found.disabled_because == "Slack refuses the token: token_expired"


async def test_a_revoked_token_disables_the_workspace_after_one_call(
    sim: SlackSim, northwind: World, database: DatabaseConnection, tenant: TenantId, process: Callable[[], SlackClient]
) -> None:
    client = process()
    await client.auth_test()
    sim.simulation.oauth.withdraw(northwind)
    before = len(sim.simulation.calls.of("auth.test"))

    for _ in range(10):
        with pytest.raises(Discard):
            await client.auth_test()

    assert len(sim.simulation.calls.of("auth.test")) == before + 1
    assert (await register.get(database, tenant)).disabled_because == "Slack refuses the token: token_revoked"


async def test_a_wrong_client_secret_is_our_fault_and_disables_nothing(
    sim: SlackSim, northwind: World, database: DatabaseConnection, tenant: TenantId
) -> None:
    wrong = OAuthClient(sim.simulation.oauth.client_id, "wrong", base_url=sim.api_url)
    sim.simulation.oauth.expire(northwind)
    async with Clients(database, VAULT, wrong, base_url=sim.api_url) as clients:
        with pytest.raises(Misconfigured, match="SLACK_CLIENT_SECRET"):
            await clients[tenant].auth_test()

    assert (await register.get(database, tenant)).disabled_because is None


async def test_a_token_under_a_key_that_is_gone_names_the_setting(
    sim: SlackSim, database: DatabaseConnection, oauth: OAuthClient, tenant: TenantId
) -> None:
    other = Vault(["A" * 43 + "="])
    async with Clients(database, other, oauth, base_url=sim.api_url) as clients:
        with pytest.raises(Misconfigured, match="ATHENAEUM_SECRET_KEY"):
            await clients[tenant].auth_test()


async def test_a_new_key_reads_what_the_old_one_wrote_and_rekeying_needs_the_old_one_no_more(
    database: DatabaseConnection, tenant: TenantId
) -> None:
    new = "B" * 43 + "="
    both = Vault([new, KEY])
    async with database.session(tenant) as session:
        before = await installations.load(session, both, tenant)
        assert await installations.rekey(session, both, tenant)
    async with database.session(tenant) as session:
        assert await installations.load(session, Vault([new]), tenant) == before


async def test_a_token_stored_for_one_tenant_is_of_no_use_to_another(tenant: TenantId) -> None:
    locked = VAULT.lock(tenant, "secret")
    other = TenantId(UUID(int=1))

    assert VAULT.unlock(tenant, locked) == "secret"
    with pytest.raises(Misconfigured):
        VAULT.unlock(other, locked)


@pytest.fixture
async def rotating(sim: SlackSim, database_url: str, tmp_path: Path) -> AsyncGenerator[Hub]:
    sim.simulation.oauth.rotates = True
    async with hub(sim, settings(sim, database_url, tmp_path)) as working:
        yield working


async def test_a_token_that_ends_in_the_middle_of_a_delivery_costs_nothing(rotating: Hub, northwind: World) -> None:
    await rotating.install(northwind)
    simulation = rotating.sim.simulation
    simulation.faults.plan(Fault("chat.postMessage", "error", error="token_expired"))
    simulation.faults.plan(Fault("chat.update", "error", error="token_expired"))

    asked = rotating.ask(northwind)

    assert "Northwind deploy is at noon" in await rotating.answer(northwind, asked)
    assert len(rotating.replies(northwind, asked)) == 1


async def test_health_names_the_workspace_whose_token_is_refused(
    rotating: Hub, northwind: World, lantern: World
) -> None:
    await rotating.install(northwind)
    await rotating.install(lantern)
    rotating.sim.simulation.oauth.withdraw(northwind)
    rotating.ask(lantern)
    northwind.app.is_revoked = False  # its events still come, and no call succeeds
    for token in [token for token, issued in rotating.sim.simulation.oauth.tokens.items() if issued.world is northwind]:
        del rotating.sim.simulation.oauth.tokens[token]
    rotating.ask(northwind)

    async def named() -> bool:
        answer = await rotating.browser.client.get(f"{rotating.running.address}/health")
        slack = answer.json()["slack"]
        return slack["refused"] == 1 and slack["workspaces"] == 1 and "Northwind" in slack["detail"]

    await until(named, seconds=60)
