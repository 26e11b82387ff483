"""App Home: what a person sees of themselves there, and what is left when they have it deleted."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql
from slack_sdk.models.views import View
from sqlalchemy import text, update

from athenaeum.conversations import modes, turns
from athenaeum.database import audit, models
from athenaeum.domain.channel import Mode
from athenaeum.domain.identity import ChannelId, MessageTs, turn_id
from athenaeum.slack.formatting import FEEDBACK
from athenaeum.slack.formatting.home import ERASE
from athenaeum.tenants.budgets import DayBudget, Scope
from athenaeum.tenants.budgets.budget import set_budget
from slacksim import events
from slacksim.model import JsonObject
from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer, Stalls
from support.database import PostgresServer
from support.product import QUESTION, Product, at_work

CANARY = "zirconium"
_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY c.relname"""


async def open_home(product: Product, name: str) -> JsonObject:
    """Somebody opens their Home tab; gives what stands there then."""
    homes, person = product.sim.simulation.homes, product.person(name)
    product.sim.simulation.outbox.send(events.callback(homes.opened(person, "home"), product.sim.world))
    await product.rest()
    view = homes.of(person.user.id)
    assert view is not None
    return view


async def press(product: Product, name: str, action: str) -> None:
    simulation = product.sim.simulation
    simulation.outbox.send(simulation.homes.click(product.person(name), action, simulation.views), kind="interactive")
    await product.rest()


async def test_home_shows_a_person_their_answers_limits_channels_and_nothing_of_others(product: Product) -> None:
    asked = product.ask("maya", "platform", f"{QUESTION} <!channel> xoxb-" + "1" * 24)
    await product.answer(asked)
    product_tenant, platform = product.tenant.id, ChannelId(asked.channel)
    async with product.running.database.session(product_tenant) as session:
        await modes.set_mode(session, platform, Mode.QUESTIONS, cap=7)
        await set_budget(session, product_tenant, DayBudget(Scope.USER, "", Decimal("1.50")))

    view = await open_home(product, "maya")
    shown = json.dumps(view, ensure_ascii=False)
    View(**{name: view[name] for name in ("type", "blocks")}).validate_json()
    [first] = [block for block in view["blocks"] if "accessory" in block]
    assert first["text"]["type"] == "plain_text"
    assert first["text"]["text"].startswith(QUESTION)
    assert first["accessory"]["url"].endswith(f"/archives/{platform}/p{asked.ts.replace('.', '')}")
    assert "xoxb-1" not in shown
    assert "You: $1.50 of $1.50 are left" in shown
    assert "30 questions a minute in a channel" in shown
    assert f"<#{platform}>: mentions, and questions to nobody in particular (0 of 7" in shown
    assert "Now I keep one question of yours" in shown

    others = json.dumps(await open_home(product, "ines"), ensure_ascii=False)
    assert QUESTION not in others
    assert "You have asked me nothing yet." in others


async def test_the_messages_tab_needs_no_home(product: Product) -> None:
    person = product.person("maya")
    opened = product.sim.simulation.homes.opened(person, "messages")
    product.sim.simulation.outbox.send(events.callback(opened, product.sim.world))
    await product.rest()

    assert product.sim.simulation.homes.of(person.user.id) is None


@pytest.mark.parametrize("refusal", [None, "missing_scope", "not_allowed"])
async def test_who_opens_the_direct_message_of_an_agent_is_offered_questions(
    product: Product, refusal: str | None
) -> None:
    sim, maya, tom = product.sim, product.person("maya"), product.person("tom")
    sim.simulation.outbox.send(events.callback(sim.simulation.homes.opened(tom, "messages"), sim.world))
    await product.rest()
    async with product.running.database.session(product.tenant.id) as session:
        await session.execute(update(models.Tenant).values(native=True))
    if refusal:
        product.fault("assistant.threads.setSuggestedPrompts", "error", error=refusal)
    opened = sim.simulation.homes.opened(maya, "messages")
    sim.simulation.outbox.send(events.callback(opened, sim.world))
    await product.rest()

    offered = sim.world.state.suggestions
    assert list(offered) == ([] if refusal else [opened["channel"]])
    assert all("What was decided lately in our channels?" in questions for questions in offered.values())
    async with product.running.database.session(product.tenant.id) as session:
        assert await session.scalar(text("SELECT count(*) FROM failed_events")) == 0


async def test_where_the_tab_is_switched_off_nothing_fails(product: Product) -> None:
    product.fault("views.publish", "error", error="not_enabled")
    simulation, person = product.sim.simulation, product.person("maya")
    simulation.outbox.send(events.callback(simulation.homes.opened(person, "home"), product.sim.world))
    await product.rest()

    assert simulation.homes.of(person.user.id) is None


async def test_what_a_person_has_deleted_is_in_no_table_and_in_no_message_of_ours(
    product: Product, postgres: PostgresServer, database_url: str
) -> None:
    kept = product.ask("tom", "platform")
    standing = await product.answer(kept)
    asked = product.ask("maya", "platform", f"{QUESTION} And what of granite?")
    answer = await product.answer(asked)
    simulation, maya = product.sim.simulation, product.person("maya")
    value = next(block for block in answer.blocks if block["type"] == "context_actions")["elements"][0]
    rating = maya.click(answer.channel, answer.ts, FEEDBACK, value=value["negative_button"]["value"])
    simulation.outbox.send(rating, kind="interactive")
    await simulation.commands.type(maya, "platform", f"/athenaeum ask {QUESTION} {CANARY}?", url=product.sim.url)
    await product.rest()
    await open_home(product, "maya")
    assert CANARY in json.dumps(await open_home(product, "maya"))  # this time Slack tells what stood there before
    assert found(postgres, database_url, CANARY) != {}

    await press(product, "maya", ERASE)

    assert found(postgres, database_url, CANARY) == {}  # nobody but Slack's command ever said it
    assert set(found(postgres, database_url, "granite")) == {"slack_events", "slack_messages"}  # her own message
    assert [message.ts for message in product.spoken()] == [standing.ts]
    assert await product.rows("SELECT count(*) FROM feedback", own=True) == [(0,)]
    home = json.dumps(simulation.homes.of(maya.user.id))
    assert "You have asked me nothing yet." in home
    assert "Now I keep no question of yours." in home
    async with product.running.database.session(product.tenant.id) as session:
        [entry] = [entry for entry in await audit.entries(session) if entry.deed == "data.erased"]
        assert (entry.actor, entry.subject, entry.detail) == (maya.user.id, maya.user.id, {"questions": 2})
        assert (
            await turns.look(session, turn_id(product.tenant.id, ChannelId(kept.channel), MessageTs(kept.ts)))
        ).answer


async def test_a_question_under_way_is_stopped_and_its_message_taken_away(
    sim: SlackSim, database_url: str, home: Path
) -> None:
    async with AnthropicServer() as anthropic:
        anthropic.reply = lambda _: Stalls()
        given: dict[str, Any] = {"anthropic_api_key": KEY, "anthropic_base_url": anthropic.url}
        async with at_work(sim, database_url, home, model="anthropic:claude-test", **given) as product:
            await open_home(product, "maya")
            asked = product.ask("maya", "platform", f"Tell me all about {CANARY}.")
            await anthropic.arrived.wait()

            await press(product, "maya", ERASE)

            assert product.replies(asked) == []
            assert await product.rows("SELECT question, answer ->> 'text' FROM turns", own=True) == [("", "")]
            assert await product.rows("SELECT count(*) FROM steps", own=True) == [(0,)]


async def test_a_second_press_finds_nothing_more_to_erase(product: Product) -> None:
    await product.answer(product.ask("maya", "platform"))
    await open_home(product, "maya")
    await press(product, "maya", ERASE)
    await press(product, "maya", ERASE)

    async with product.running.database.session(product.tenant.id) as session:
        erased = [entry.detail for entry in await audit.entries(session) if entry.deed == "data.erased"]
    assert erased == [{"questions": 0}, {"questions": 1}]


async def test_a_home_without_data_can_be_emptied_too(product: Product) -> None:
    await open_home(product, "maya")
    await press(product, "maya", ERASE)

    view: Any = product.sim.simulation.homes.of(product.person("maya").user.id)
    assert "Now I keep no question of yours." in json.dumps(view)


def found(postgres: PostgresServer, database_url: str, word: str) -> dict[str, int]:
    """The tables that hold a word anywhere, with the number of their rows that do."""
    name = urlsplit(database_url).path.lstrip("/")
    with psycopg.connect(postgres.admin_url, dbname=name) as admin:
        counted: dict[str, int] = {}
        for (table,) in admin.execute(_TABLES).fetchall():
            statement = sql.SQL("SELECT count(*) FROM {table} WHERE {table}::text ILIKE %s")
            row = admin.execute(statement.format(table=sql.Identifier(table)), [f"%{word}%"]).fetchone()
            assert row is not None
            counted[table.replace("slack_message_store", "slack_messages")] = row[0]  # TimescaleDB's, behind a view
    return {table: count for table, count in counted.items() if count}
