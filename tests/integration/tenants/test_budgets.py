"""Requests that begin at once share what is left of a budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from pydantic_ai.usage import RequestUsage

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind, Place, Surface
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs, TurnId, UserId
from athenaeum.domain.turn import Question
from athenaeum.llm.payment import Charge
from athenaeum.tenants.budgets import BudgetSpent, DayBudget, Purse, Scope
from athenaeum.tenants.budgets.budget import EACH, budgets, set_budget, unset_budget

ALL = DayBudget(Scope.TENANT, EACH, Decimal(3))


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=10) as opened:
        yield opened


def purse(database: DatabaseConnection, user: str = "U1", channel: str = "C1") -> Purse:
    question = Question(
        tenant=DEFAULT_TENANT,
        turn=TurnId(uuid4()),
        surface=Surface.SLACK,
        text="How much?",
        asker=UserId(user),
        asker_name="Ana",
        place=Place(id=ChannelId(channel), name="general", kind=ChannelKind.PUBLIC),
        message_ts=MessageTs("1700000000.000100"),
        thread_ts=MessageTs("1700000000.000100"),
        asked_at=datetime(2026, 11, 21, tzinfo=UTC),
    )
    return Purse(database, question)


async def allow(database: DatabaseConnection, *agreed: DayBudget) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        for budget in agreed:
            await set_budget(session, DEFAULT_TENANT, budget)


async def reserved(one: Purse) -> UUID | None:
    try:
        return await one.reserve("m", Decimal(1))
    except BudgetSpent:
        return None


async def test_of_ten_requests_at_once_only_those_begin_for_which_something_is_left(
    database: DatabaseConnection,
) -> None:
    await allow(database, ALL)

    begun = await asyncio.gather(*(reserved(purse(database, f"U{number}")) for number in range(10)))

    assert sum(request is not None for request in begun) == 3


async def test_what_a_request_did_not_cost_is_left_for_the_next(database: DatabaseConnection) -> None:
    await allow(database, ALL)
    first = purse(database)
    requests = [await reserved(first) for _ in range(3)]
    assert await reserved(purse(database)) is None

    assert requests[0] is not None
    assert requests[1] is not None
    await first.release(requests[0])
    first.charge(requests[1], Charge("m", Decimal("0.25"), RequestUsage()))
    await first.settle_apart()

    assert [await reserved(purse(database)) is None for _ in range(3)] == [False, False, True]


async def test_a_request_that_costs_more_than_was_left_is_the_last(database: DatabaseConnection) -> None:
    await allow(database, ALL)
    one = purse(database)
    request = await reserved(one)
    assert request is not None
    one.charge(request, Charge("m", Decimal(20), RequestUsage()))
    await one.settle_apart()

    assert await reserved(purse(database)) is None


async def test_the_first_budget_that_is_spent_is_named(database: DatabaseConnection) -> None:
    await allow(database, ALL, DayBudget(Scope.USER, EACH, Decimal(1)), DayBudget(Scope.CHANNEL, "C2", Decimal(1)))
    assert await reserved(purse(database)) is not None

    with pytest.raises(BudgetSpent, match=r"\$1\.00 a day is spent \(user each\)"):
        await purse(database).reserve("m", Decimal(1))
    assert await reserved(purse(database, "U2", "C2")) is not None
    with pytest.raises(BudgetSpent, match=r"\(channel C2\)"):
        await purse(database, "U3", "C2").reserve("m", Decimal(1))


async def test_a_budget_is_set_changed_and_unset(database: DatabaseConnection) -> None:
    mine = DayBudget(Scope.USER, "U1", Decimal("0.5"))
    await allow(database, ALL, mine, DayBudget(Scope.TENANT, EACH, Decimal(7)))

    async with database.session(DEFAULT_TENANT) as session:
        assert await budgets(session) == [DayBudget(Scope.TENANT, EACH, Decimal(7)), mine]
        assert await unset_budget(session, Scope.USER, "U1")
        assert not await unset_budget(session, Scope.USER, "U1")


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (datetime(2026, 11, 21, 18, 48, tzinfo=UTC), "in 5 h 12 min."),
        (datetime(2026, 11, 21, 22, 0, tzinfo=UTC), "in 2 h."),
        (datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC), "in 1 min."),
    ],
)
def test_it_is_told_how_long_until_midnight(now: datetime, left: str) -> None:
    told = BudgetSpent(ALL, now).user_text

    assert told == (
        "This workspace's budget of $3.00 a day for language models is spent, so I stopped here;"
        f" it starts again at 00:00 UTC, {left}"
    )
