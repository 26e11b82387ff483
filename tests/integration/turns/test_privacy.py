"""Who reads an answer may read everything in it."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from support.product import COMPANY, Product, at_work, workspace
from support.stage import said

_ADDRESS = re.compile(r"<(https?://[^|>]+)\|")


@pytest.fixture
def company() -> dict[str, Any]:
    return COMPANY


@pytest.mark.parametrize(
    ("asker", "place", "may_know"),
    [
        ("ines", "finance", True),
        ("ines", "athenaeum", True),
        ("ines", "board", False),
        ("ines", "platform", False),
        ("maya", "platform", False),
        ("maya", "board", False),
        ("maya", "athenaeum", False),
    ],
)
async def test_the_words_of_a_private_channel_are_told_only_where_everyone_may_read_it(
    product: Product, asker: str, place: str, may_know: bool
) -> None:
    answer = await product.answer(product.ask(asker, place, "What is the codename of the acquisition budget?"))
    assert ("heliotrope" in said(answer)) is may_know
    assert any("heliotrope" in text for shown in product.seen.values() for text in shown) is may_know
    assert any("heliotrope" in str(call) for call in product.sim.simulation.calls.of("chat.update")) is may_know


async def test_who_left_a_private_channel_is_told_no_more_of_it(product: Product) -> None:
    channel = product.sim.world.find_channel("finance")
    assert channel is not None
    product.sim.world.leave(channel, product.person("ines").user.id)
    await product.rest()
    answer = await product.answer(product.ask("ines", "athenaeum", "What is the codename of the acquisition budget?"))
    assert "heliotrope" not in said(answer)


async def test_no_call_lets_slack_fetch_a_link(product: Product) -> None:
    await product.answer(product.ask("maya", "platform"))
    await product.answer(product.ask("ines", "athenaeum", "When is the billing service deployed?"))
    async with httpx2.AsyncClient(base_url=product.sim.url) as page:
        calls: list[dict[str, Any]] = (await page.get("/_sim/calls")).json()["calls"]
        fetches = (await page.get("/_sim/fetches")).json()["fetches"]
    written = [call["arguments"] for call in calls if call["method"] in {"chat.postMessage", "chat.update"}]
    assert len(written) >= 4
    assert all(call["unfurl_links"] is False and call["unfurl_media"] is False for call in written)
    assert fetches == []


@pytest.mark.parametrize("question", ["When is the billing service deployed?", "Who approves a rollback at night?"])
async def test_a_source_leads_to_the_message_that_says_so(product: Product, question: str) -> None:
    answer = await product.answer(product.ask("maya", "platform", question))
    (listed,) = [block["elements"][0]["text"] for block in answer.blocks if block["type"] == "context"]
    (address,) = _ADDRESS.findall(listed)
    parts = urlsplit(address.replace("&amp;", "&"))
    channel_id, place = re.fullmatch(r"/archives/(\w+)/p(\d+)", parts.path).groups()  # pyright: ignore[reportOptionalMemberAccess]
    source = product.sim.world.channels[channel_id].messages[f"{place[:-6]}.{place[-6:]}"]
    assert source.text in said(answer)
    assert parse_qs(parts.query).get("thread_ts", [None]) == [source.thread_ts]


async def test_two_workspaces_with_the_same_ids_share_a_database_and_nothing_else(
    database_url: str, home: Path
) -> None:
    async with AsyncExitStack() as stack:
        products: list[Product] = []
        for town in ("lantern", "harbour"):  # not on Celery: a process has room for one of its workers
            sim = await stack.enter_async_context(workspace(_twin(town)))
            products.append(await stack.enter_async_context(at_work(sim, database_url, home / town, engine="postgres")))
        lantern, harbour = products
        assert set(lantern.sim.world.channels) & set(harbour.sim.world.channels) >= {"C0000001", "C0000002"}
        questions = [
            (product, product.ask(asker, place, "What is the password of the door?"))
            for product in products
            for asker, place in (("maya", "platform"), ("ines", "finance"), ("ines", "athenaeum"))
            for _ in range(2)
        ]
        for product, asked in questions:
            mine, other = ("lantern", "harbour") if product is lantern else ("harbour", "lantern")
            answer = said(await product.answer(asked))
            assert f"{mine}-word" in answer
            assert f"{other}-word" not in answer


def _twin(town: str) -> dict[str, Any]:
    people = [{"name": name, "id": f"U000000{place}"} for place, name in enumerate(("maya", "tom", "ines"))]
    return {
        "team": {"name": town, "domain": town},
        "app": {"user_id": "U0000009"},
        "users": people,
        "channels": [
            {
                "name": name,
                "id": f"C000000{place}",
                "kind": kind,
                "members": ["maya", "ines", "athenaeum"],
                "messages": [{"user": "ines", "text": f"The password of the door is {town}-word.", "ago": 3600}],
            }
            for place, (name, kind) in enumerate((("platform", "public"), ("finance", "private")), start=1)
        ],
    }
