"""Whoever keeps the buckets, PostgreSQL or Redis: the same questions pass, and the same are refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, TenantId, TurnId, UserId
from athenaeum.tenants import register
from athenaeum.tenants.limits import PostgresBucket, Rate, Rates, TokenBucket, TooManyRequests
from athenaeum.tenants.limits.redis import RedisBucket
from support.redis_server import RedisServer
from support.slack_events import IDENTITY

HOURLY = Rate(30, timedelta(hours=1))
"""So slow that no test is slow enough for a token to come back by itself."""
RATES = Rates(HOURLY)
"""As without a setting: people have no limit of their own."""
HERE, THERE = ChannelId("C0001"), ChannelId("C0002")
ANA, BEN = UserId("U0001"), UserId("U0002")


class _Never(Exception):  # noqa: N818
    """Rolls a transaction back."""


@dataclass(frozen=True, slots=True)
class Door:
    """A bucket, and the questions that are put to it."""

    database: DatabaseConnection
    bucket: TokenBucket
    pass_time: Callable[[timedelta], Awaitable[None]]
    """Have it be that much later, for every bucket."""

    async def ask(
        self,
        channel: ChannelId = HERE,
        *,
        user: UserId = ANA,
        tenant: TenantId = DEFAULT_TENANT,
        turn: TurnId | None = None,
    ) -> timedelta | None:
        """How long a new question has to wait; None when it passes."""
        async with self.database.session(tenant) as session:
            try:
                await self.bucket.take(session, tenant, channel, user, turn=turn or TurnId(uuid4()))
            except TooManyRequests as error:
                return error.after
        return None

    async def passed(
        self, count: int, channel: ChannelId = HERE, *, user: UserId = ANA, tenant: TenantId = DEFAULT_TENANT
    ) -> int:
        """How many of so many questions pass."""
        return [await self.ask(channel, user=user, tenant=tenant) for _ in range(count)].count(None)

    async def ask_in_vain(self, turn: TurnId) -> None:
        """Ask in a transaction that is rolled back."""
        async with self.database.session(DEFAULT_TENANT) as session:
            await self.bucket.take(session, DEFAULT_TENANT, HERE, ANA, turn=turn)
            raise _Never


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url, pool_size=5) as opened:
        yield opened


@pytest.fixture
def rates() -> Rates:
    return RATES


@pytest.fixture(params=["postgres", "redis"])
async def door(request: pytest.FixtureRequest, database: DatabaseConnection, rates: Rates) -> AsyncGenerator[Door]:
    if request.param == "postgres":

        async def age(by: timedelta) -> None:
            async with database.session(DEFAULT_TENANT) as session:
                for table in ("channel_limits", "user_limits"):
                    await session.execute(text(f"UPDATE {table} SET full_at = full_at - :by"), {"by": by})

        yield Door(database, PostgresBucket(rates), age)
        return
    server: RedisServer = request.getfixturevalue("redis_server")

    async def shift(by: timedelta) -> None:
        with server.client() as client:
            for key in client.scan_iter("athenaeum:*:limit:*"):
                client.decrby(key, by // timedelta(microseconds=1))

    async with RedisBucket(server.url, rates, otherwise=_Nobody()) as bucket:
        yield Door(database, bucket, shift)


class _Nobody:
    """No bucket: in these tests Redis answers."""

    async def take(self, *_: object, **__: object) -> None:
        raise AssertionError("Redis gave no answer")


async def test_of_a_burst_the_29th_and_the_30th_pass_and_the_31st_does_not(door: Door) -> None:
    assert [await door.ask() is None for _ in range(31)] == [True] * 30 + [False]


async def test_of_a_burst_at_once_thirty_pass(door: Door) -> None:
    waits = await asyncio.gather(*(door.ask() for _ in range(40)))
    assert waits.count(None) == 30


async def test_a_refusal_says_when_there_is_a_token_again(door: Door) -> None:
    await door.passed(30)
    wait = await door.ask()
    assert wait is not None
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    await door.pass_time(timedelta(minutes=45))
    wait = await door.ask()
    assert wait is not None
    assert timedelta(minutes=14) < wait <= timedelta(minutes=15)


async def test_tokens_come_back_one_by_one_and_not_all_at_the_minute(door: Door) -> None:
    assert await door.passed(31) == 30
    for _ in range(3):
        await door.pass_time(timedelta(hours=1))
        assert await door.passed(2) == 1
    await door.pass_time(timedelta(hours=7))
    assert await door.passed(10) == 7


async def test_a_bucket_holds_no_more_than_a_burst(door: Door) -> None:
    await door.passed(1)
    await door.pass_time(timedelta(hours=1000))
    assert await door.passed(31) == 30


async def test_refused_questions_cost_nothing(door: Door) -> None:
    assert await door.passed(50) == 30
    await door.pass_time(timedelta(hours=1))
    assert await door.ask() is None


async def test_channels_have_a_bucket_each(door: Door) -> None:
    assert await door.passed(31) == 30
    assert await door.ask(THERE) is None


async def test_tenants_have_a_bucket_each(door: Door) -> None:
    await register.bind(door.database, IDENTITY)
    other = await register.bind(door.database, replace(IDENTITY, team_id="T0002"))
    assert await door.passed(31) == 30
    assert await door.passed(31, tenant=other.id) == 30


async def test_a_question_that_was_rolled_back_costs_no_token_when_it_comes_again(door: Door) -> None:
    turn = TurnId(uuid4())
    for _ in range(3):
        with pytest.raises(_Never):
            await door.ask_in_vain(turn)
    assert await door.ask(turn=turn) is None
    assert await door.passed(30) == 29


async def test_a_clock_that_is_set_back_closes_no_channel(door: Door) -> None:
    await door.passed(30)
    await door.pass_time(timedelta(hours=-1000))
    assert await door.ask() is not None
    await door.pass_time(timedelta(hours=1))
    assert await door.ask() is None


both = pytest.mark.parametrize("rates", [Rates(HOURLY, Rate(5, timedelta(hours=1)))], ids=[""])


async def test_without_a_limit_of_their_own_people_share_their_channels(door: Door) -> None:
    assert await door.passed(30) == 30
    assert await door.ask(user=BEN) is not None


@both
async def test_people_have_a_bucket_each_over_all_channels(door: Door) -> None:
    assert await door.passed(3) == 3
    assert await door.passed(3, THERE) == 2
    assert await door.ask(THERE, user=BEN) is None


@both
async def test_people_of_two_tenants_with_the_same_id_have_a_bucket_each(door: Door) -> None:
    await register.bind(door.database, IDENTITY)
    other = await register.bind(door.database, replace(IDENTITY, team_id="T0002"))
    assert await door.passed(6) == 5
    assert await door.passed(6, tenant=other.id) == 5


@both
async def test_a_question_that_its_person_may_not_ask_costs_the_channel_nothing(door: Door) -> None:
    assert await door.passed(50) == 5
    assert sum([await door.passed(5, user=UserId(f"U1{number}")) for number in range(6)]) == 25


@both
async def test_a_question_that_its_channel_may_not_ask_costs_the_person_nothing(door: Door) -> None:
    for number in range(6):
        await door.passed(5, user=UserId(f"U1{number}"))
    assert await door.passed(3) == 0
    assert await door.passed(6, THERE) == 5


@both
async def test_a_person_is_told_when_there_is_a_token_again(door: Door) -> None:
    await door.passed(5)
    wait = await door.ask(THERE)
    assert wait is not None
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    await door.pass_time(timedelta(hours=1))
    assert await door.passed(2, THERE) == 1


@both
async def test_of_a_persons_burst_at_once_over_two_channels_no_more_pass(door: Door) -> None:
    waits = await asyncio.gather(*(door.ask(channel) for channel in (HERE, THERE) * 10))
    assert waits.count(None) == 5


@pytest.mark.parametrize("rates", [Rates(None, Rate(5, timedelta(hours=1)))], ids=[""])
async def test_people_may_be_limited_where_channels_are_not(door: Door) -> None:
    assert await door.passed(6) == 5
    assert sum([await door.passed(5, user=UserId(f"U1{number}")) for number in range(8)]) == 40
