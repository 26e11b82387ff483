"""More questions than a channel may ask: the asker alone is told, and nothing is enqueued."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from athenaeum.observability.metrics import LIMIT_FALLBACKS
from slacksim.faults import Mode
from slacksim.model import Ephemeral, Message
from slacksim.server import SlackSim
from support.product import COMPANY, Product, at_work
from support.redis_server import RedisServer

SENTENCE = "I'm receiving too many requests right now. Please try again in a moment."


@pytest.fixture
def company() -> dict[str, Any]:
    return COMPANY


@pytest.fixture
async def product(sim: SlackSim, database_url: str, home: Path) -> AsyncGenerator[Product]:
    """Two questions at once, and one more a half minute later."""
    async with at_work(sim, database_url, home, rate_limit=2) as working:
        yield working


def whispers(product: Product) -> list[Ephemeral]:
    return product.sim.world.state.ephemerals


async def ask(product: Product, count: int = 1, *, thread: Message | None = None) -> list[Message]:
    asked: list[Message] = []
    for _ in range(count):
        asked.append(product.ask("maya", "platform", thread=thread))
        await product.opened(asked[-1])
    await product.rest()
    return asked


async def test_the_asker_alone_is_told_and_the_message_is_archived(product: Product) -> None:
    asked = await ask(product, 3)

    assert [len(product.replies(question)) for question in asked] == [1, 1, 0]
    assert [(said.user, said.text, said.thread_ts) for said in whispers(product)] == [
        (product.person("maya").user.id, SENTENCE, None)
    ]
    assert await product.rows("SELECT count(*) FROM events WHERE event_type = 'turn'") == [(2,)]
    archived = await product.rows(f"SELECT count(*) FROM slack_messages WHERE ts = '{asked[2].ts}'", own=True)
    assert archived == [(1,)]


async def test_a_person_over_their_own_limit_is_told_alike_in_any_channel(
    sim: SlackSim, database_url: str, home: Path
) -> None:
    async with at_work(sim, database_url, home, user_rate_limit=2) as product:
        asked = await ask(product, 2)
        other = product.ask("maya", "board")
        await product.opened(other)
        colleague = product.ask("tom", "platform")
        await product.opened(colleague)
        await product.rest()

        assert [len(product.replies(question)) for question in (*asked, other, colleague)] == [1, 1, 0, 1]
        assert [(said.user, said.text) for said in whispers(product)] == [(product.person("maya").user.id, SENTENCE)]
        assert await product.rows("SELECT count(*) FROM events WHERE event_type = 'turn'") == [(3,)]


async def test_in_a_thread_the_asker_is_told_in_the_thread(product: Product) -> None:
    parent, _ = await ask(product, 2)
    await ask(product, thread=parent)

    assert [said.thread_ts for said in whispers(product)] == [parent.ts]


async def test_what_slack_repeats_costs_nothing(product: Product) -> None:
    (first,) = await ask(product)
    outbox = product.sim.simulation.outbox
    again = [sent.payload for sent in outbox.deliveries if sent.payload["event"].get("ts") == first.ts]
    for payload in again * 5:
        outbox.send(payload)
    await product.rest()
    (second,) = await ask(product)

    assert len(product.replies(second)) == 1
    assert whispers(product) == []


async def test_a_refused_question_stays_refused_however_often_it_comes(product: Product) -> None:
    *_, refused = await ask(product, 3)
    await product.rows("UPDATE channel_limits SET full_at = now() RETURNING 1", own=True)
    outbox = product.sim.simulation.outbox
    for payload in [sent.payload for sent in outbox.deliveries if sent.payload["event"].get("ts") == refused.ts]:
        outbox.send(payload)
    await product.rest()

    assert product.replies(refused) == []
    assert len(whispers(product)) == 1


async def test_an_asker_whose_gateway_died_before_telling_is_told_when_slack_repeats(product: Product) -> None:
    *_, refused = await ask(product, 3)
    long_ago = f"answered_at = NULL, finished_at = now() - interval '1 minute' WHERE message_ts = '{refused.ts}'"
    await product.rows(f"UPDATE turns SET {long_ago} RETURNING 1", own=True)
    outbox = product.sim.simulation.outbox
    again = next(sent.payload for sent in outbox.deliveries if sent.payload["event"].get("ts") == refused.ts)
    for _ in range(2):
        outbox.send(again)
        await product.rest()

    assert len(whispers(product)) == 2
    assert product.replies(refused) == []


@pytest.mark.parametrize(
    ("mode", "code"), [("500", ""), ("error", "user_not_in_channel"), ("error", "channel_not_found")]
)
async def test_a_slack_that_takes_no_notice_is_not_asked_again(product: Product, mode: Mode, code: str) -> None:
    product.fault("chat.postEphemeral", mode, times=5, error=code)
    asked = await ask(product, 3)

    assert len(product.calls("chat.postEphemeral")) == 1
    assert product.replies(asked[2]) == []


async def test_without_a_limit_every_question_is_answered(sim: SlackSim, database_url: str, home: Path) -> None:
    async with at_work(sim, database_url, home, rate_limit=0) as product:
        asked = await ask(product, 4)
        assert [len(product.replies(question)) for question in asked] == [1, 1, 1, 1]
        assert await product.rows("SELECT count(*) FROM channel_limits", own=True) == [(0,)]


async def test_redis_counts_where_it_is_configured(
    sim: SlackSim, database_url: str, home: Path, redis_server: RedisServer
) -> None:
    async with at_work(sim, database_url, home, rate_limit=2, redis_url=redis_server.url) as product:
        asked = await ask(product, 3)
        assert [len(product.replies(question)) for question in asked] == [1, 1, 0]
        assert len(whispers(product)) == 1
        assert await product.rows("SELECT count(*) FROM channel_limits", own=True) == [(0,)]


async def test_while_redis_is_away_postgresql_counts(
    sim: SlackSim, database_url: str, home: Path, redis_server: RedisServer
) -> None:
    async with (  # not on Celery, which would wait for it
        at_work(sim, database_url, home, rate_limit=2, redis_url=redis_server.url, engine="postgres") as product,
        httpx2.AsyncClient(base_url=product.running.address) as client,
    ):
        await ask(product)
        redis_server.stop()
        counted = LIMIT_FALLBACKS._value.get()
        with capture_logs() as logs:
            asked = await ask(product, 3)
        health = (await client.get("/health")).json()

    assert [len(product.replies(question)) for question in asked] == [1, 1, 0]
    assert [entry["event"] for entry in logs if entry["event"].startswith("limits.")] == ["limits.redis_away"]
    assert LIMIT_FALLBACKS._value.get() - counted == 3
    assert (health["status"], health["redis"]["status"]) == ("degraded", "degraded")
