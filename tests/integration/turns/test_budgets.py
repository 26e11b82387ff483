"""A budget that is spent: what its asker sees in Slack, and what is not done any more."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from decimal import Decimal
from pathlib import Path

import pytest

from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.tenants.budgets import DayBudget, Scope
from athenaeum.tenants.budgets.budget import EACH, set_budget
from slacksim.server import SlackSim
from support.anthropic_server import KEY, AnthropicServer
from support.product import Product, at_work
from support.stage import said


@pytest.fixture
async def product(sim: SlackSim, database_url: str, home: Path, anthropic: AnthropicServer) -> AsyncGenerator[Product]:
    """A question costs 0.0012: two requests of 100 tokens in and 20 out."""
    async with at_work(
        sim,
        database_url,
        home,
        model="anthropic:claude-test",
        model_prices="anthropic:claude-test=3/15",
        anthropic_api_key=KEY,
        anthropic_base_url=anthropic.url,
    ) as working:
        yield working


async def allow(product: Product, dollars: str, scope: Scope = Scope.TENANT) -> None:
    async with product.running.database.session(DEFAULT_TENANT) as session:
        await set_budget(session, DEFAULT_TENANT, DayBudget(scope, EACH, Decimal(dollars)))


async def test_the_question_after_the_last_one_is_told_the_limit_and_its_reset_in_one_answer(
    product: Product, anthropic: AnthropicServer
) -> None:
    await allow(product, "0.001", Scope.USER)
    first = await product.answer(product.ask("maya", "platform"))
    requests = len(anthropic.requests)

    asked = product.ask("maya", "platform")
    second = await product.answer(asked)
    await product.rest()

    assert "athenaeum events retry ID" in said(first)
    assert len(anthropic.requests) == requests
    assert said(second).startswith("Your budget of $0.001 a day for language models is spent")
    assert "it starts again at 00:00 UTC, in " in said(second)
    assert product.replies(asked) == [second]
    assert await product.turn_states() == ["delivered", "delivered"]
    assert await product.rows("SELECT count(*) FROM events WHERE status = 'failed'") == [(0,)]


async def test_a_colleague_still_gets_answers(product: Product) -> None:
    await allow(product, "0.001", Scope.USER)
    await product.answer(product.ask("maya", "platform"))

    answer = await product.answer(product.ask("tom", "platform"))

    assert "athenaeum events retry ID" in said(answer)


async def test_what_every_question_cost_is_on_record_once(product: Product) -> None:
    for _ in range(2):
        await product.answer(product.ask("maya", "platform"))
    await product.rest()

    told = await product.rows("SELECT count(*), sum(dollars), count(settled_at) FROM spending", own=True)
    assert told == [(4, Decimal("0.0024"), 4)]
