"""Workspaces that install the app, leave, and come back, while the product runs."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from psycopg import sql

from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import ChannelId, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.errors import Refused
from athenaeum.tenants import register
from athenaeum.wiring.process import Role
from slacksim import events
from slacksim.oauth import new_bot_user
from slacksim.people import Person
from slacksim.server import SlackSim
from slacksim.world import World
from support.installing import Browser, Hub, hub, settings
from support.product import until


async def test_a_workspace_is_served_as_soon_as_it_is_installed(product: Hub, northwind: World, lantern: World) -> None:
    first = await product.install(northwind)
    asked = product.ask(northwind)
    assert "Northwind deploy is at noon" in await product.answer(northwind, asked)

    second = await product.install(lantern)
    asked = product.ask(lantern)
    answer = await product.answer(lantern, asked)

    assert first.id != second.id
    assert "Lantern deploy is at noon" in answer
    assert "Northwind" not in answer


async def test_the_last_page_says_where_it_was_installed(product: Hub, northwind: World) -> None:
    page = await product.browser.install(northwind.team.id)

    assert "Installed in Northwind" in page.text
    assert f'href="{product.sim.url}/"' in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_who_says_no_installs_nothing(product: Hub, northwind: World) -> None:
    browser = product.browser
    page = await browser.get(await browser.allow(await browser.authorize_url(), ""))

    assert page.status_code == 403
    assert "Nothing was installed" in page.text
    assert not await register.is_connected(product.running.database)


async def test_a_state_is_good_for_one_return(product: Hub, northwind: World) -> None:
    browser = product.browser
    back = await browser.allow(await browser.authorize_url(), northwind.team.id)
    assert (await browser.get(back)).status_code == 200

    again = await browser.get(back)

    assert again.status_code == 400
    assert "This link has expired" in again.text
    assert len(product.sim.simulation.calls.of("oauth.v2.access")) == 1


async def test_a_state_of_one_browser_is_worth_nothing_in_another(product: Hub, northwind: World) -> None:
    back = await product.browser.allow(await product.browser.authorize_url(), northwind.team.id)
    async with httpx2.AsyncClient() as client:
        victim = Browser(product.running.address, client)
        await victim.authorize_url()
        page = await victim.get(back)

    assert page.status_code == 400
    assert product.sim.simulation.calls.of("oauth.v2.access") == []


async def test_a_state_lasts_ten_minutes(product: Hub, northwind: World) -> None:
    back = await product.browser.allow(await product.browser.authorize_url(), northwind.team.id)
    async with await product.running.database.connect() as owner:
        await owner.execute("UPDATE oauth_states SET expires_at = expires_at - interval '10 minutes'")

    assert (await product.browser.get(back)).status_code == 400


async def test_the_cookie_is_for_this_purpose_alone(product: Hub) -> None:
    page = await product.browser.get(f"{product.running.address}/slack/install")
    cookie = page.headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/slack" in cookie
    assert "max-age=600" in cookie


async def test_a_code_that_slack_does_not_know_is_told_so(product: Hub, northwind: World) -> None:
    back = await product.browser.allow(await product.browser.authorize_url(), northwind.team.id)
    page = await product.browser.get(str(httpx2.URL(back).copy_set_param("code", "forged")))

    assert page.status_code == 502
    assert "invalid_code" in page.text


async def test_tokens_are_stored_encrypted(product: Hub, northwind: World) -> None:
    tenant = await product.install(northwind)
    [[stored]] = await product.rows("SELECT bot_token FROM installations", tenant.id)

    [token] = product.sim.simulation.oauth.tokens
    assert token.encode() not in bytes(stored)
    assert token.split("-")[-1].encode() not in bytes(stored)


async def test_a_workspace_that_uninstalls_is_served_no_more(product: Hub, northwind: World) -> None:
    tenant = await product.install(northwind)
    product.sim.simulation.uninstall(northwind)
    await product.rest()

    found = await register.get(product.running.database, tenant.id)
    assert found.disabled_because in {"the app was uninstalled", "its token was revoked"}
    assert await product.rows("SELECT 1 FROM installations", tenant.id) == []
    assert await register.resolve(product.running.database, northwind.team.id, None) is None


async def test_nothing_of_a_workspace_that_left_is_found(product: Hub, northwind: World) -> None:
    tenant = await product.install(northwind)
    await until(lambda: _found(product, northwind), seconds=60)

    product.sim.simulation.uninstall(northwind)
    await product.rest()

    assert tenant is not None
    assert not await _found(product, northwind)


async def _found(product: Hub, world: World) -> bool:
    channel = world.find_channel("#platform")
    assert channel is not None
    [[tenant]] = await product.rows(f"SELECT tenant_id FROM tenants WHERE slack_team_id = '{world.team.id}'")
    maya = Person.named(world, "maya").user.id
    place = Place(ChannelId(channel.id), "platform", ChannelKind.PUBLIC)
    audience = Audience(tenant=tenant, asker=UserId(maya), place=place)
    return bool(await product.running.index.search("deploy at noon", audience=audience))


async def test_a_question_that_waits_when_the_workspace_leaves_is_cancelled(
    sim: SlackSim, database_url: str, tmp_path: Path, northwind: World
) -> None:
    config = settings(sim, database_url, tmp_path)
    async with hub(sim, config, [Role.GATEWAY]) as door:  # nobody answers yet
        await door.browser.install(northwind.team.id)
        tenant = await register.resolve(door.running.database, northwind.team.id, None)
        assert tenant is not None
        door.ask(northwind)
        await until(lambda: _any(door, "SELECT 1 FROM turns", tenant), seconds=60)
        sim.simulation.uninstall(northwind)
        await until(lambda: _any(door, "SELECT 1 FROM tenants WHERE status = 'disabled'", None), seconds=60)

        assert await door.rows("SELECT state FROM turns", tenant.id) == [("cancelled",)]
    async with hub(sim, config) as later:
        await later.rest()
        assert await later.rows("SELECT 1 FROM failed_events") == []
    assert sim.simulation.calls.of("chat.postMessage") == []


async def _any(product: Hub, statement: str, tenant: object) -> bool:
    return bool(await product.rows(statement, getattr(tenant, "id", None)))


async def test_a_workspace_that_comes_back_has_its_tenant_and_its_new_bot(product: Hub, northwind: World) -> None:
    before = await product.install(northwind)
    product.sim.simulation.uninstall(northwind)
    await product.rest()
    new_bot_user(northwind)
    channel = northwind.find_channel("#platform")
    assert channel is not None
    northwind.join(channel, northwind.app.user_id)

    after = await product.install(northwind)
    asked = product.ask(northwind)

    assert after.id == before.id
    assert after.bot_user == northwind.app.user_id != before.bot_user
    assert "Northwind deploy is at noon" in await product.answer(northwind, asked)


async def test_a_late_word_of_the_uninstallation_does_not_undo_the_new_installation(
    product: Hub, northwind: World
) -> None:
    tenant = await product.install(northwind)
    outbox = product.sim.simulation.outbox
    product.sim.simulation.uninstall(northwind)
    await product.rest()
    late = [sent.payload for sent in outbox.deliveries if sent.payload["event"]["type"] == "app_uninstalled"]
    await product.install(northwind)

    outbox.send({**late[0], "event_id": "EvLATE", "event_time": late[0]["event_time"] - 60})
    await product.rest()

    assert (await register.get(product.running.database, tenant.id)).disabled_because is None


async def test_a_person_whose_token_is_revoked_disables_nothing(product: Hub, northwind: World) -> None:
    tenant = await product.install(northwind)
    revoked = {"type": "tokens_revoked", "tokens": {"oauth": ["U0001"], "bot": []}}
    product.sim.simulation.outbox.send(events.callback(revoked, northwind))
    await product.rest()

    assert (await register.get(product.running.database, tenant.id)).disabled_because is None


async def test_a_purge_leaves_nothing_in_any_table_and_touches_no_other_workspace(
    product: Hub, northwind: World, lantern: World
) -> None:
    gone, kept = await product.install(northwind), await product.install(lantern)
    for world in (northwind, lantern):
        await product.answer(world, product.ask(world))
    await until(lambda: _any(product, "SELECT 1 FROM passages", kept), seconds=60)
    before = await _owned(product, kept)
    async with product.running.database.session() as session:
        await register.disable(session, gone.id, "by an operator")

    assert await register.purge(product.running.database, gone.id) > 0

    assert await _owned(product, gone) <= {"tenants", "audit_log", "audit_heads"}
    assert await _owned(product, kept) >= before >= {"slack_messages", "turns", "passages", "installations"}


async def test_what_is_served_is_not_purged(product: Hub, northwind: World) -> None:
    tenant = await product.install(northwind)

    with pytest.raises(Refused, match="athenaeum tenants disable"):
        await register.purge(product.running.database, tenant.id)
    assert "slack_messages" in await _owned(product, tenant)


async def _owned(product: Hub, tenant: Tenant) -> set[str]:
    """The tables with rows of a tenant, as the owner of the tables sees them."""
    tables = """
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""
    async with await product.running.database.connect() as owner:
        names = [row[0] for row in await (await owner.execute(tables)).fetchall()]
        found: set[str] = set()
        for name in names:
            statement = sql.SQL("SELECT 1 FROM {} WHERE tenant_id = {} LIMIT 1")
            rows = await owner.execute(statement.format(sql.Identifier(name), sql.Literal(tenant.id)))
            if await rows.fetchone():
                found.add(name)
    return found
