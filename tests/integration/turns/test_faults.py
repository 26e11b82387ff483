"""Slack misbehaves, or the product is stopped: still one answer, in one message."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from slacksim.faults import Mode
from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer, Stalls
from support.product import Product, at_work, until
from support.stage import said

RETRY = "athenaeum events retry ID"


@pytest.mark.parametrize("known", [True, False], ids=["client_msg_id_on", "client_msg_id_off"])
async def test_a_post_whose_response_is_lost_shows_once(product: Product, known: bool) -> None:
    product.sim.simulation.faults.client_msg_ids_count = known
    product.fault("chat.postMessage", "drop_after")
    answer = await product.answer(product.ask("maya", "platform"))
    assert RETRY in said(answer)
    assert len(product.seen) == 1


@pytest.mark.parametrize(
    ("method", "mode"),
    [
        ("chat.postMessage", "429"),
        ("chat.postMessage", "500"),
        ("chat.postMessage", "error_after"),
        ("chat.update", "429"),
        ("chat.update", "500"),
        ("chat.update", "drop_after"),
    ],
)
async def test_a_call_that_fails_still_ends_in_one_answer(product: Product, method: str, mode: Mode) -> None:
    product.fault(method, mode, times=2 if mode == "500" else 1, retry_after=1)
    answer = await product.answer(product.ask("maya", "platform"))
    assert RETRY in said(answer)
    assert len(product.seen) == 1


async def test_every_method_may_fail_now_and_then(product: Product) -> None:
    for mode in ("500", "429", "drop_before"):
        product.fault("*", mode)
    asked = [product.ask("maya", "platform") for _ in range(3)]
    for question in asked:
        assert RETRY in said(await product.answer(question))


async def test_a_process_that_is_stopped_ends_the_turn_it_is_at(sim: SlackSim, database_url: str, home: Path) -> None:
    async with at_work(sim, database_url, home) as product:
        product.fault("chat.update", "slow", seconds=0.7)
        asked = product.ask("maya", "platform")
        await until(lambda: _answering(product))
    assert [RETRY in said(reply) for reply in product.replies(asked)] == [True]


async def test_what_a_stopped_process_could_not_end_the_next_one_does(
    sim: SlackSim, database_url: str, home: Path
) -> None:
    async with AnthropicServer() as anthropic:
        anthropic.script.append(Stalls())
        claude: dict[str, Any] = {"anthropic_api_key": KEY, "anthropic_base_url": anthropic.url}
        async with at_work(sim, database_url, home, model="anthropic:claude-test", **claude) as product:
            asked = product.ask("maya", "platform")
            async with asyncio.timeout(10):
                await anthropic.arrived.wait()
            await until(lambda: _answering(product))
        assert [said(reply) for reply in product.replies(asked)] == ["Thinking…"]
        async with at_work(sim, database_url, home) as product:
            assert RETRY in said(await product.answer(asked))


async def _answering(product: Product) -> bool:
    return bool(product.seen)
