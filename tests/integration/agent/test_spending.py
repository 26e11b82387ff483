"""What model requests cost is on record once, and a budget that is spent ends a turn in one sentence."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from pydantic_ai.models import Model

from athenaeum.domain.identity import DEFAULT_TENANT, LeaseToken
from athenaeum.domain.price import Price
from athenaeum.domain.turn import Progress, TextGrew
from athenaeum.errors import LeaseLost, Refused, RetryLater
from athenaeum.llm.models import ModelKeys, build_model, default_spec
from athenaeum.tenants.budgets import BudgetSpent, DayBudget, Scope
from athenaeum.tenants.budgets.budget import EACH, set_budget
from support.anthropic_server import KEY, AnthropicServer, BreaksOff, Fails, Says, Stalls, search_then_answer
from support.desk import Desk
from support.notes import Board, search_post_answer

SPEC = "anthropic:claude-test"
PRICES = {SPEC: Price(Decimal(3), Decimal(15))}
REQUEST = Decimal("0.0006")
"""100 tokens in and 20 out, which is what each scripted response says of itself."""


def claude(server: AnthropicServer, *, spec: str = SPEC, prices: dict[str, Price] | None = PRICES) -> Model[Any]:
    return build_model(spec, ModelKeys(anthropic_api_key=KEY, anthropic_base_url=server.url), prices=prices)


async def spending(desk: Desk) -> list[tuple[Decimal | None, bool]]:
    """What each request cost, and whether it is settled."""
    rows = await desk.execute("SELECT dollars, settled_at IS NOT NULL AS settled FROM spending ORDER BY settled_at")
    return [(row.dollars, row.settled) for row in rows]


async def allow(desk: Desk, dollars: str, scope: Scope = Scope.TENANT, subject: str = EACH) -> None:
    async with desk.database.session(DEFAULT_TENANT) as session:
        await set_budget(session, DEFAULT_TENANT, DayBudget(scope, subject, Decimal(dollars)))


async def test_every_request_is_on_record_with_who_asked_where_and_when(desk: Desk, anthropic: AnthropicServer) -> None:
    await desk.answer(claude(anthropic))

    rows = await desk.execute(
        "SELECT turn_id, channel_id, user_id, model, input_tokens, output_tokens, dollars,"
        " day = (now() AT TIME ZONE 'UTC')::date AS today FROM spending"
    )
    question = desk.question
    wanted = (question.turn, "C1", "U1", "claude-test", 100, 20, REQUEST, True)
    assert [tuple(row) for row in rows] == [wanted, wanted]


async def test_steps_that_are_replayed_are_not_paid_again(desk: Desk, anthropic: AnthropicServer) -> None:
    await desk.answer(claude(anthropic))
    await desk.answer(claude(anthropic))

    assert await spending(desk) == [(REQUEST, True)] * 2


async def test_a_request_of_whose_end_nothing_was_heard_keeps_its_estimate(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    anthropic.reply = lambda _: Stalls()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(desk.answer(claude(anthropic)))
        await anthropic.arrived.wait()
        task.cancel()
    anthropic.reply = search_then_answer

    await desk.answer(claude(anthropic))

    *settled, (estimate, known) = await spending(desk)
    assert settled == [(REQUEST, True)] * 2
    assert not known
    assert estimate is not None
    assert estimate > 0


async def test_what_was_paid_is_paid_though_its_step_is_not_recorded(desk: Desk, anthropic: AnthropicServer) -> None:
    async def take_over(progress: Progress) -> None:
        if isinstance(progress, TextGrew):
            await desk.execute("UPDATE turns SET fence = 8")

    desk.interrupt = take_over
    with pytest.raises(LeaseLost):
        await desk.answer(claude(anthropic))
    desk.interrupt = None
    assert await spending(desk) == [(REQUEST, True)]

    await desk.answer(claude(anthropic), fence=LeaseToken(8))

    assert await spending(desk) == [(REQUEST, True)] * 3


async def test_a_charge_and_its_step_are_one_transaction(desk: Desk, anthropic: AnthropicServer) -> None:
    await desk.answer(claude(anthropic))

    rows = await desk.execute(
        "SELECT count(DISTINCT s.xmin::text) AS transactions, count(*) AS pairs FROM spending s"
        " JOIN steps t ON t.turn_id = s.turn_id AND t.xmin = s.xmin"
    )
    assert [tuple(row) for row in rows] == [(2, 2)]


async def test_a_request_that_the_provider_refused_costs_nothing(desk: Desk, anthropic: AnthropicServer) -> None:
    anthropic.script.append(Fails(529, "overloaded_error"))

    with pytest.raises(RetryLater):
        await desk.answer(claude(anthropic))

    assert await spending(desk) == []


async def test_a_stream_that_breaks_off_is_paid_as_far_as_it_came(desk: Desk, anthropic: AnthropicServer) -> None:
    anthropic.script.append(BreaksOff("Let me"))

    with pytest.raises(RetryLater):
        await desk.answer(claude(anthropic))

    assert await spending(desk) == [(Decimal("0.000315"), True)]  # 100 in, 1 out


async def test_each_model_of_a_chain_is_paid_for_what_it_did(desk: Desk, anthropic: AnthropicServer) -> None:
    anthropic.script.append(Fails(529, "overloaded_error"))

    await desk.answer(claude(anthropic, spec=f"{SPEC}, offline"))

    rows = await desk.execute("SELECT model, dollars FROM spending ORDER BY model")
    assert {row.model: row.dollars for row in rows} == {"claude-test": REQUEST, "offline": Decimal(0)}


async def test_the_librarys_price_counts_what_the_cache_saved(desk: Desk, anthropic: AnthropicServer) -> None:
    spec = default_spec(ModelKeys(anthropic_api_key=KEY))
    anthropic.script.extend([Says("Yes."), Says("Yes.", cached=(100_000, 0)), Says("Yes.", cached=(0, 100_000))])
    costs: list[Decimal] = []
    for _ in range(3):
        await desk.answer(claude(anthropic, spec=spec, prices=None))
        (row,) = await desk.execute("SELECT dollars, cache_read_tokens, cache_write_tokens FROM spending")
        costs.append(row.dollars)
        await desk.execute("DELETE FROM steps")
        await desk.execute("DELETE FROM spending")

    plain, read, written = costs
    assert 0 < plain < read
    assert (written - plain) > 10 * (read - plain)  # a quarter more than uncached, against a tenth or less


async def test_instructions_tools_and_the_conversation_may_be_read_from_the_providers_cache(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    await desk.answer(claude(anthropic))

    for request in anthropic.requests:
        body = request.body
        assert {"type": "ephemeral"}.items() <= body["tools"][-1]["cache_control"].items()
        assert {"type": "ephemeral"}.items() <= body["system"][-1]["cache_control"].items()
        assert {"type": "ephemeral"}.items() <= body["cache_control"].items()
    first, second = (request.body for request in anthropic.requests)
    assert (first["tools"], first["system"]) == (second["tools"], second["system"])
    assert second["messages"][: len(first["messages"])] == first["messages"]


async def test_a_price_that_nobody_knows_is_on_record_as_unknown(desk: Desk, anthropic: AnthropicServer) -> None:
    await desk.answer(claude(anthropic, prices=None))

    assert await spending(desk) == [(None, True)] * 2


async def test_under_a_budget_a_model_without_a_price_is_not_asked(desk: Desk, anthropic: AnthropicServer) -> None:
    await allow(desk, "100")

    with pytest.raises(Refused, match="ATHENAEUM_MODEL_PRICES") as refused:
        await desk.answer(claude(anthropic, prices=None))

    assert "set its price" in refused.value.user_text
    assert anthropic.requests == []


@pytest.mark.parametrize(
    ("scope", "subject", "whose"),
    [
        (Scope.TENANT, EACH, "This workspace's"),
        (Scope.CHANNEL, EACH, "This channel's"),
        (Scope.CHANNEL, "C1", "This channel's"),
        (Scope.USER, EACH, "Your"),
        (Scope.USER, "U1", "Your"),
    ],
)
async def test_a_budget_that_is_spent_is_named_with_the_time_of_its_reset(
    desk: Desk, anthropic: AnthropicServer, scope: Scope, subject: str, whose: str
) -> None:
    await allow(desk, "0", scope, subject)

    answer = await desk.answer(claude(anthropic))

    assert anthropic.requests == []
    assert answer.text.startswith(f"{whose} budget of $0.00 a day for language models is spent")
    assert "it starts again at 00:00 UTC, in " in answer.text
    assert await spending(desk) == []


async def test_budgets_of_others_stop_nobody_else(desk: Desk, anthropic: AnthropicServer) -> None:
    await allow(desk, "0", Scope.CHANNEL, "C2")
    await allow(desk, "0", Scope.USER, "U2")

    await desk.answer(claude(anthropic))

    assert len(anthropic.requests) == 2


async def test_ones_own_budget_comes_before_that_of_each(desk: Desk, anthropic: AnthropicServer) -> None:
    await allow(desk, "0", Scope.USER)
    await allow(desk, "1", Scope.USER, "U1")

    await desk.answer(claude(anthropic))

    assert len(anthropic.requests) == 2


async def test_a_budget_that_is_spent_within_a_turn_ends_it_with_what_was_found(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    await allow(desk, str(REQUEST))

    answer = await desk.answer(claude(anthropic))

    assert len(anthropic.requests) == 1
    assert answer.text.startswith("This workspace's budget of $0.0006 a day")
    assert "athenaeum events retry ID" in answer.text


async def test_what_was_spent_yesterday_does_not_count(desk: Desk, anthropic: AnthropicServer) -> None:
    await allow(desk, "0.001")
    await desk.answer(claude(anthropic))
    await desk.execute("UPDATE spending SET day = day - 1")
    await desk.execute("DELETE FROM steps")

    await desk.answer(claude(anthropic))

    assert len(anthropic.requests) == 4


async def test_a_model_that_is_free_is_not_stopped(desk: Desk) -> None:
    await allow(desk, "0")

    answer = await desk.answer(build_model("offline", ModelKeys()))

    assert "athenaeum events retry ID" in answer.text


async def test_a_turn_that_had_its_answer_is_not_stopped_by_a_budget_that_was_spent_since(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    first = await desk.answer(claude(anthropic))
    await allow(desk, "0")

    assert await desk.answer(claude(anthropic)) == first


async def test_after_a_change_the_turn_is_ended_by_whoever_says_that_it_may_have_been_done(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    board = Board()
    desk.toolset = board.toolset()
    anthropic.reply = search_post_answer
    await desk.decide(claude(anthropic))
    await allow(desk, "0")

    with pytest.raises(BudgetSpent):
        await desk.answer(claude(anthropic))

    assert len(board.notes) == 1
