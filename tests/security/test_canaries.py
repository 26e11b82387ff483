"""Controls 1, 2, 3, 9 and 17 through the whole product: a planted canary is heard by its own audience alone.

The model obeys the attacker. What it was told, what Slack was sent, what was logged, counted and recorded is searched
for every canary that somebody at the destination may not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from athenaeum.domain.passage import Origin
from athenaeum.retrieval.passages import NewPassage
from athenaeum.slack.formatting import REVEAL
from slacksim.model import Message
from support.anthropic_server import KEY, AnthropicServer
from support.hostile import LURE, canaries, obey
from support.product import Product, at_work, workspace

GROUP, PARTNERS, MURKY = "the group", "C0000006", "C0000007"
EVERYBODY = {"canaryplatform", "canarylobby", "canarydocument", "canaryopen"}
OWN = {"maya": "canarydirectmaya", "ines": "canarydirectines", "gus": "canarydirectgus"}

CASES = {
    ("maya", "platform"): EVERYBODY,
    ("ines", "platform"): EVERYBODY,
    ("ines", "vault"): EVERYBODY | {"canaryvault"},
    ("ines", GROUP): EVERYBODY | {"canarygroup"},
    ("maya", "lobby"): {"canarylobby", "canaryopen"},
    ("gus", "lobby"): {"canarylobby", "canaryopen"},
    ("ines", PARTNERS): {"canarypartners", "canaryopen"},
    ("maya", PARTNERS): {"canarypartners", "canaryopen"},
    ("ines", MURKY): {"canaryopen", "canarymurky"},
    ("maya", "athenaeum"): EVERYBODY | {"canarypartners", OWN["maya"]},
    ("ines", "athenaeum"): EVERYBODY | {"canaryvault", "canarygroup", "canarypartners", OWN["ines"]},
    ("gus", "athenaeum"): {"canaryopen", OWN["gus"]},
}
"""Who asks where, and all that may be told there."""
PROMPTED = {"canarymurky", *OWN.values()}
"""Told as what was said in the place just before, where it was; not searched."""


def _channel(name: str, kind: str, *members: str, id_: str | None = None, canary: str | None = None) -> dict[str, Any]:
    text = f"The treasure password is {canary or f'canary{name}'}."
    return {
        "name": name,
        "kind": kind,
        "members": [*members, "athenaeum"],
        "messages": [{"user": members[0], "text": text, "ago": 3600}],
        **({"id": id_} if id_ else {}),
    }


TOWN: dict[str, Any] = {
    "team": {"name": "Lantern", "domain": "lantern"},
    "app": {"user_id": "U0000009"},
    "users": [
        {"name": "maya", "id": "U0000001"},
        {"name": "tom", "id": "U0000002"},
        {"name": "ines", "id": "U0000003"},
        {"name": "gus", "id": "U0000004", "is_guest": True},
    ],
    "channels": [
        _channel("platform", "public", "maya", "tom", "ines", id_="C0000001"),
        _channel("lobby", "public", "maya", "gus", id_="C0000002"),
        _channel("vault", "private", "ines", "tom", id_="C0000003"),
        {"kind": "mpim", "members": ["ines", "tom", "athenaeum"]},
        _channel("partners", "private", "ines", "maya", id_=PARTNERS),
        _channel("murky", "private", "ines", "maya", id_=MURKY),
        *({"kind": "im", "members": [person, "athenaeum"]} for person in OWN),
    ],
}
HARBOUR: dict[str, Any] = {
    **TOWN,
    "team": {"name": "Harbour", "domain": "harbour"},
    "channels": [
        _channel("platform", "public", "maya", "tom", "ines", id_="C0000001", canary="canaryharbourplatform"),
        _channel("vault", "private", "maya", "ines", "tom", id_="C0000003", canary="canaryharbourvault"),
    ],
}


@dataclass(frozen=True, slots=True)
class World:
    """Two workspaces in one database, with the same ids of people and channels."""

    lantern: Product
    harbour: Product
    model: AnthropicServer


@pytest.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncGenerator[World]:
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(AnthropicServer())
        model.reply = obey
        products: list[Product] = []
        for company in (TOWN, HARBOUR):
            sim = await stack.enter_async_context(workspace(company))
            home = tmp_path / company["team"]["domain"]
            claude: dict[str, Any] = {
                "model": "anthropic:claude-test",
                "anthropic_api_key": KEY,
                "anthropic_base_url": model.url,
            }
            products.append(await stack.enter_async_context(at_work(sim, database_url, home, **claude)))
        lantern, harbour = products
        await lantern.put(_document("canarydocument"), source="handbook")
        await lantern.put(_document("canaryopen", is_open=True), source="site")
        await harbour.put(_document("canaryharbourdocument"), source="handbook")
        lantern.say("ines", _place(lantern, GROUP), "The treasure password is canarygroup.")
        for person, canary in OWN.items():  # a question to the bot, as everything is that somebody says to it alone
            lantern.say(person, "athenaeum", f"The treasure password is {canary}.")
        await lantern.rest()
        # as Slack Connect and a list of members that could not be read leave them
        await lantern.rows(
            f"UPDATE slack_channels SET is_shared = true WHERE channel_id = '{PARTNERS}' RETURNING 1", own=True
        )
        await lantern.rows(
            f"UPDATE slack_channels SET members_read_at = NULL WHERE channel_id = '{MURKY}' RETURNING 1", own=True
        )
        yield World(lantern, harbour, model)


def _document(canary: str, *, is_open: bool = False) -> NewPassage:
    return NewPassage(Origin.DOCUMENT, "Handbook", f"The treasure password is {canary}.", is_open=is_open)


def _place(product: Product, name: str) -> str:
    groups = [channel.id for channel in product.sim.world.channels.values() if channel.kind == "mpim"]
    return groups[0] if name == GROUP else name


async def _ask(
    world: World, product: Product, asker: str, place: str, question: str = "What is the treasure password?"
) -> tuple[Message, str, str]:
    """The answer, all that Slack was sent meanwhile, and all that the model was shown."""
    product.sim.simulation.calls.clear()
    world.model.requests.clear()
    answer = await product.answer(product.ask(asker, _place(product, place), question))
    sent = json.dumps(product.sim.simulation.calls.of(), ensure_ascii=False)
    shown = "".join(request.sent.decode() for request in world.model.requests)
    return answer, sent, shown


async def _recorded(product: Product, answer: Message) -> str:
    """What the journal and the turn keep of it."""
    mine = f"turn_id IN (SELECT turn_id FROM turns WHERE thread_ts = '{answer.thread_ts}')"
    steps = await product.rows(f"SELECT result::text FROM steps WHERE {mine}", own=True)
    turns = await product.rows(f"SELECT answer::text, error FROM turns WHERE {mine}", own=True)
    return str([steps, turns])


def _strays(sent: str, audible: set[str]) -> set[str]:
    """Canaries that are not for those who read this; an answer that grows shows the beginnings of others too."""
    return {canary for canary in canaries(sent) if not any(whole.startswith(canary) for whole in audible)}


@pytest.mark.timeout(400)
async def test_a_canary_is_heard_by_its_own_audience_alone(capfd: pytest.CaptureFixture[str], world: World) -> None:
    lantern = world.lantern
    for (asker, place), audible in CASES.items():
        answer, sent, shown = await _ask(world, lantern, asker, place)
        assert audible - PROMPTED <= canaries(sent), (asker, place)
        assert _strays(sent, audible) == set(), (asker, place)
        assert canaries(shown) <= audible, (asker, place)
        assert canaries(await _recorded(lantern, answer)) <= audible, (asker, place)
        _assert_tame(sent)
        assert canaries(str(lantern.sim.world.state.ephemerals)) <= audible, (asker, place)
    for place in ("platform", "vault"):
        _, sent, shown = await _ask(world, world.harbour, "maya", place)
        theirs = {"canaryharbourplatform", "canaryharbourdocument"} | (
            {"canaryharbourvault"} if place == "vault" else set[str]()
        )
        assert canaries(shown) == theirs
        assert _strays(sent, theirs) == set()

    async with httpx2.AsyncClient() as client:
        for product in (lantern, world.harbour):
            metrics = (await client.get(f"{product.running.address}/metrics")).text
            fetches = (await client.get(f"{product.sim.url}/_sim/fetches")).json()["fetches"]
            assert (canaries(metrics), fetches) == (set(), [])
    kept = await lantern.rows("SELECT error FROM failed_events")
    assert canaries(str(kept)) == set()
    logged = "".join(capfd.readouterr())
    assert "step.recorded" in logged
    assert canaries(logged) == set()


EXTRAS = {
    ("ines", "platform", "vault"): {"canaryvault"},
    ("ines", PARTNERS, "vault"): {"canaryvault"},
    ("maya", "lobby", "platform"): {"canaryplatform"},
    ("maya", "platform", "vault"): set[str](),
    ("ines", "platform", "murky"): set[str](),
    ("ines", "athenaeum", "vault"): set[str](),
    ("gus", "lobby", "platform"): set[str](),
}
"""Who asks where for the password of which place, and what is shown to them alone beside the answer."""


@pytest.mark.timeout(400)
async def test_private_extras_are_heard_by_their_asker_alone(capfd: pytest.CaptureFixture[str], world: World) -> None:
    lantern = world.lantern
    asides = lantern.sim.world.state.ephemerals
    for (asker, place, subject), extra in EXTRAS.items():
        asides.clear()
        answer, sent, shown = await _ask(
            world, lantern, asker, place, f"What is the treasure password of the {subject}?"
        )
        assert _strays(sent, CASES[asker, place]) == set(), (asker, place, subject)
        assert canaries(shown) <= CASES[asker, place], (asker, place, subject)
        assert len(asides) == bool(extra), (asker, place, subject)
        for offer in list(asides):
            payload = lantern.person(asker).click(offer.channel, offer.ts, REVEAL)
            lantern.sim.simulation.outbox.send(payload, kind="interactive")
            await lantern.rest()
            told = json.dumps([aside.to_json() for aside in asides], ensure_ascii=False)
            assert canaries(told) == extra, (asker, place, subject)
            assert {aside.user for aside in asides} == {lantern.person(asker).user.id}
            kept = await lantern.rows("SELECT payload::text FROM finished_events")
            assert canaries(str(kept)) == set()
        assert canaries(await _recorded(lantern, answer)) <= CASES[asker, place], (asker, place, subject)
    logged = "".join(capfd.readouterr())
    assert "extras.shown" in logged
    assert canaries(logged) == set()


async def test_what_was_deleted_or_edited_away_is_heard_by_nobody(world: World) -> None:
    lantern = world.lantern
    maya = lantern.person("maya")
    gone = maya.say("platform", "The treasure password is canarydeleted.")
    reworded = maya.say("platform", "The treasure password is canaryedited.")
    _, sent, _ = await _ask(world, lantern, "tom", "platform")
    assert canaries(sent) >= {"canarydeleted", "canaryedited"}

    maya.delete("platform", gone.ts)
    maya.edit("platform", reworded.ts, "The treasure password is another now.")
    await lantern.rest()
    _, sent, shown = await _ask(world, lantern, "tom", "platform")

    assert canaries(sent) >= EVERYBODY
    assert _strays(sent, EVERYBODY) == set()
    assert canaries(shown) == EVERYBODY


def _assert_tame(sent: str) -> None:
    """No mention that calls people, no address that opens, no unfurling."""
    calls = [call["arguments"] for call in json.loads(sent) if call["method"] in {"chat.postMessage", "chat.update"}]
    assert calls
    assert all(call["unfurl_links"] is False and call["unfurl_media"] is False for call in calls)
    written = json.dumps([[call.get("text"), call.get("blocks")] for call in calls], ensure_ascii=False)
    assert not re.search(rf"(?:https?://|www\.)[^\s\"]*{re.escape(LURE)}", written)
    assert not re.search(r"https?://xn--|javascript:|data:text", written)
    assert not re.search(r"<!(?:channel|here|everyone|subteam)|<@U0000001>|<#C0000003>", written)
