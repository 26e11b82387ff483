from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.conversations import turns
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import (
    DEFAULT_TENANT,
    ChannelId,
    LeaseToken,
    MessageTs,
    PassageId,
    TenantId,
    TurnId,
    UserId,
    turn_id,
)
from athenaeum.domain.turn import Answer, Citation, Usage
from athenaeum.errors import Discard, LeaseLost, Refused

CHANNEL = ChannelId("C1")
TS = MessageTs("1700000000.000100")
FIRST, SECOND = LeaseToken(1), LeaseToken(2)
MESSAGE: dict[str, Any] = {
    "tenant": DEFAULT_TENANT,
    "surface": Surface.SLACK,
    "channel": CHANNEL,
    "message_ts": TS,
    "thread_ts": TS,
    "asker": UserId("U1"),
    "question": "Why?",
}
ANSWER = Answer("Yes [1].", (Citation(1, PassageId(3), "Title", None, "words"),), "offline", Usage(1, 2, 3, 4))


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as connected:
        yield connected


async def opened(database: DatabaseConnection, *, tenant: TenantId = DEFAULT_TENANT) -> TurnId | None:
    async with database.session(tenant) as session:
        message: dict[str, Any] = MESSAGE | {"tenant": tenant}
        return await turns.open_turn(session, **message)


@pytest.fixture
async def turn(database: DatabaseConnection) -> TurnId:
    known = await opened(database)
    assert known is not None
    return known


async def test_a_message_has_one_turn_and_one_event(database: DatabaseConnection, turn: TurnId) -> None:
    assert turn == turn_id(DEFAULT_TENANT, CHANNEL, TS)
    assert await opened(database) is None
    async with database.session() as session:
        assert (await session.scalar(text("SELECT count(*) FROM events"))) == 1


async def test_a_turn_that_is_not_committed_leaves_no_event(database: DatabaseConnection) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        assert await turns.open_turn(session, **MESSAGE) is not None
        await session.rollback()
    async with database.session() as session:
        assert (await session.scalar(text("SELECT count(*) FROM events"))) == 0


async def test_two_tenants_have_each_their_turn_for_the_same_channel_and_ts(
    database: DatabaseConnection, turn: TurnId
) -> None:
    async with database.session() as session:
        other = TenantId(
            (
                await session.execute(text("INSERT INTO tenants (name) VALUES ('other') RETURNING tenant_id"))
            ).scalar_one()
        )
    theirs = await opened(database, tenant=other)
    assert theirs is not None
    assert theirs != turn
    async with database.session(other) as session:
        with pytest.raises(Discard):
            await turns.look(session, turn)


async def test_the_first_answer_is_kept(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        assert await turns.save_answer(session, turn, FIRST, ANSWER) == ANSWER
        assert await turns.save_answer(session, turn, FIRST, Answer("No.")) == ANSWER


async def test_an_older_token_saves_and_ends_nothing(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        await turns.take(session, turn, SECOND)
        for write in (
            turns.take(session, turn, FIRST),
            turns.save_answer(session, turn, FIRST, ANSWER),
            turns.finish(session, turn, FIRST),
            turns.fail(session, turn, FIRST, error="late"),
            turns.cancel(session, turn, FIRST, reason="late"),
            turns.check(session, turn, FIRST),
        ):
            with pytest.raises(LeaseLost):
                await write
        found = await turns.look(session, turn)
    assert (found.answer, found.finished_at, found.fence) == (None, None, SECOND)


async def test_a_finished_turn_is_given_as_it_is(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        await turns.save_answer(session, turn, FIRST, ANSWER)
        await turns.finish(session, turn, FIRST)
        again = await turns.take(session, turn, SECOND)
    assert again.finished_at is not None
    assert again.fence == FIRST


async def test_a_failed_turn_is_taken_again_without_its_apology(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        await turns.save_answer(session, turn, FIRST, Answer("Sorry."), apology=True)
        await turns.fail(session, turn, FIRST, error="a bug")
        again = await turns.take(session, turn, SECOND)
    assert (again.answer, again.error, again.finished_at) == (None, None, None)


async def test_giving_up_does_not_reopen_a_failed_turn(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        await turns.fail(session, turn, FIRST, error="a bug")
        again = await turns.take(session, turn, SECOND, reopen=False)
    assert again.finished_at is not None


async def test_a_real_answer_survives_a_failed_delivery(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        await turns.save_answer(session, turn, FIRST, ANSWER)
        await turns.fail(session, turn, FIRST, error="Slack was away")
        assert (await turns.take(session, turn, SECOND)).answer == ANSWER


async def test_a_turn_that_was_removed_is_discarded(database: DatabaseConnection) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        with pytest.raises(Discard):
            await turns.take(session, TurnId(uuid4()), FIRST)


async def test_who_waits_is_told_when_the_turn_ends(database: DatabaseConnection, turn: TurnId) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(turns.wait_for(database, DEFAULT_TENANT, turn))
        async with database.session(DEFAULT_TENANT) as session:
            await turns.take(session, turn, FIRST)
            await turns.save_answer(session, turn, FIRST, ANSWER)
            await turns.finish(session, turn, FIRST)
    assert waiting.result() == ANSWER


async def test_who_waits_for_an_ended_turn_has_its_answer_at_once(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        await turns.save_answer(session, turn, FIRST, ANSWER)
        await turns.finish(session, turn, FIRST)
    async with asyncio.timeout(1):
        assert await turns.wait_for(database, DEFAULT_TENANT, turn) == ANSWER


async def test_who_waits_for_a_turn_without_an_answer_is_told_why(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        await turns.cancel(session, turn, FIRST, reason="the question was deleted")
    with pytest.raises(Refused, match="deleted"):
        await turns.wait_for(database, DEFAULT_TENANT, turn)


async def test_an_answer_comes_back_as_it_was_saved() -> None:
    assert turns.from_json(turns.to_json(ANSWER)) == ANSWER


async def test_characters_that_jsonb_cannot_hold_are_dropped(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, FIRST)
        saved = await turns.save_answer(session, turn, FIRST, Answer("a\0b\ud800c"))
    assert saved.text == "abc"


async def test_a_question_is_asked_under_its_askers_name(database: DatabaseConnection, turn: TurnId) -> None:
    async with database.session(DEFAULT_TENANT) as session:
        await session.execute(
            text(
                "INSERT INTO slack_users (tenant_id, user_id, name, real_name) VALUES (:t, 'U1', 'maya', 'Maya Chen')"
            ),
            {"t": DEFAULT_TENANT},
        )
        question = await turns.question(session, await turns.take(session, turn, FIRST))
    assert (question.asker_name, question.text, question.thread_ts) == ("Maya Chen", "Why?", TS)
