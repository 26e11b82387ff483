from __future__ import annotations

import json
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT
from support.command_line import CommandLine

_REQUEST = text(
    "INSERT INTO spending (tenant_id, request_id, turn_id, channel_id, user_id, day, model, input_tokens, dollars,"
    " settled_at) VALUES (:tenant, gen_random_uuid(), :turn, :channel, :user, (now() AT TIME ZONE 'UTC')::date - :ago,"
    " :model, 100, :dollars, CASE WHEN :settled THEN now() END)"
)
_ANA = text("INSERT INTO slack_users (tenant_id, user_id, name, real_name) VALUES (:tenant, 'U1', 'ana', 'Ana Ortiz')")


@pytest.fixture
async def busy(database_url: str) -> None:
    """Ana has spent 0.75 today and 2 yesterday; somebody else asked a model without a price."""
    requests = [
        ("U1", "C1", 0, "m1", Decimal("0.5"), True),
        ("U1", "C2", 0, "m1", Decimal("0.25"), False),
        ("U1", "C1", 1, "m1", Decimal(2), True),
        ("U2", "C1", 0, "m2", None, True),
    ]
    async with DatabaseConnection(database_url, pool_size=1) as database, database.session(DEFAULT_TENANT) as session:
        await session.execute(_ANA, {"tenant": DEFAULT_TENANT})
        for user, channel, ago, model, dollars, settled in requests:
            who = {"tenant": DEFAULT_TENANT, "turn": uuid4(), "channel": channel, "user": user}
            what = {"ago": ago, "model": model, "dollars": dollars, "settled": settled}
            await session.execute(_REQUEST, {**who, **what})


async def test_budgets_are_set_listed_and_unset(athenaeum: CommandLine) -> None:
    assert (await athenaeum("budgets", "list")).out == "no budgets\n"
    for arguments in (["20"], ["0.50", "--user", "each"], ["5", "--user", "U1"], ["2", "--channel", "C1"]):
        await athenaeum("budgets", "set", *arguments)

    listed = await athenaeum("budgets", "list", "--json")
    assert [(line["scope"], line["subject"], line["dollars"]) for line in json.loads(listed.out)] == [
        ("channel", "C1", "2"),
        ("tenant", "", "20"),
        ("user", "", "0.50"),
        ("user", "U1", "5"),
    ]
    shown = [line.split() for line in (await athenaeum("budgets", "list")).out.splitlines()]
    assert ["default", "user", "each", "$0.50"] in shown
    assert (await athenaeum("budgets", "unset", "--user", "each")).out == "removed\n"
    again = await athenaeum("budgets", "unset", "--user", "each")
    assert (again.status, again.complaint) == (1, "there is no such budget: `athenaeum budgets list` shows all")


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["few"], "give 20 or 0.50"),
        (["NaN"], "give 20 or 0.50"),
        (["1", "--user", "U1", "--channel", "C1"], "give --channel or --user"),
    ],
)
async def test_a_budget_that_cannot_be_is_refused(athenaeum: CommandLine, arguments: list[str], mend: str) -> None:
    told = await athenaeum("budgets", "set", *arguments)

    assert told.status == 2
    assert mend in told.complaint


async def test_what_was_spent_is_told_by_person_channel_day_and_model(athenaeum: CommandLine, busy: None) -> None:
    async def by(what: str, *more: str) -> list[tuple[str, Decimal]]:
        told = await athenaeum("budgets", "spent", "--by", what, "--json", *more)
        return [(line["of"], Decimal(line["dollars"])) for line in json.loads(told.out)]

    assert await by("user") == [("U1", Decimal("0.75")), ("U2", 0)]
    assert await by("channel") == [("C1", Decimal("0.5")), ("C2", Decimal("0.25"))]
    assert await by("model") == [("m1", Decimal("0.75")), ("m2", 0)]
    assert [dollars for _, dollars in await by("day", "--days", "2")] == [Decimal("0.75"), 2]


async def test_what_is_not_settled_and_what_has_no_price_is_counted_apart(athenaeum: CommandLine, busy: None) -> None:
    told = json.loads((await athenaeum("budgets", "spent", "--json")).out)

    assert [(line["name"], line["requests"], line["unsettled"], line["unpriced"]) for line in told] == [
        ("Ana Ortiz", 2, 1, 0),
        (None, 1, 0, 1),
    ]
    shown = (await athenaeum("budgets", "spent")).out.splitlines()
    assert shown[1].split()[:4] == ["Ana", "Ortiz", "$0.75", "2"]


async def test_where_nothing_was_spent_it_says_so(athenaeum: CommandLine) -> None:
    assert (await athenaeum("budgets", "spent")).out == "nothing was spent\n"
