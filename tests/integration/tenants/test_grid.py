"""Enterprise Grid: an organisation installs the app once, and its workspaces are one tenant."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from athenaeum.tenants import register
from slacksim.server import SlackSim
from slacksim.world import World
from support.installing import Hub, company, hub, settings, workspaces

ORGANISATION = "E0NORTH"


@pytest.fixture
def northwind() -> World:
    return company("Northwind", enterprise=ORGANISATION)


@pytest.fixture
def lantern() -> World:
    return company("Lantern", enterprise=ORGANISATION)


@pytest.fixture
def outsider() -> World:
    return company("Outsider")


@pytest.fixture
async def sim(northwind: World, lantern: World, outsider: World) -> AsyncGenerator[SlackSim]:
    async with workspaces(northwind, lantern, outsider) as running:
        yield running


@pytest.fixture
async def product(sim: SlackSim, database_url: str, tmp_path: Path) -> AsyncGenerator[Hub]:
    async with hub(sim, settings(sim, database_url, tmp_path)) as working:
        yield working


async def test_an_organisation_is_installed_without_a_team_and_all_its_workspaces_are_answered(
    product: Hub, northwind: World, lantern: World
) -> None:
    page = await product.browser.install(ORGANISATION)
    assert page.status_code == 200, page.text
    await product.rest()

    tenant = await register.resolve(product.running.database, None, ORGANISATION)
    assert tenant is not None
    assert (tenant.team_id, tenant.enterprise_id, tenant.bot_user) == (None, ORGANISATION, "W0ATHENAEUM")
    listed = await product.rows("SELECT count(*) FROM slack_channels WHERE name = 'platform'", tenant.id)
    assert listed == [(2,)]  # both workspaces were read, each by its own id
    for world in (northwind, lantern):
        asked = product.ask(world)
        assert "deploy is at noon" in await product.answer(world, asked)
    [sent] = {
        (sent.payload["authorizations"][0]["team_id"], sent.payload["authorizations"][0]["enterprise_id"])
        for sent in product.sim.simulation.outbox.deliveries
    }
    assert sent == (None, ORGANISATION)


async def test_a_workspace_that_installs_for_itself_keeps_a_tenant_of_its_own(
    product: Hub, northwind: World, lantern: World
) -> None:
    alone = await product.install(northwind)
    await product.browser.install(ORGANISATION)
    await product.rest()

    organisation = await register.resolve(product.running.database, lantern.team.id, ORGANISATION)
    assert organisation is not None
    assert organisation.id != alone.id
    assert await register.resolve(product.running.database, northwind.team.id, ORGANISATION) == alone


async def test_who_is_not_installed_is_silence(product: Hub, northwind: World, outsider: World) -> None:
    await product.install(northwind)
    outsider.app.is_revoked = False  # Slack would not, but somebody's events come
    asked = product.ask(outsider)
    await product.rest()

    assert product.replies(outsider, asked) == []
    [[turns]] = await product.rows("SELECT count(*) FROM queued_events")
    assert turns == 0


async def test_one_socket_brings_the_events_of_all_workspaces(
    sim: SlackSim, database_url: str, tmp_path: Path, northwind: World, outsider: World
) -> None:
    config = settings(sim, database_url, tmp_path, slack_app_token=sim.world.app.app_token, slack_signing_secret=None)
    async with hub(sim, config) as product:
        for world in (northwind, outsider):
            await product.install(world)
            asked = product.ask(world)
            assert f"{world.team.name} deploy is at noon" in await product.answer(world, asked)
