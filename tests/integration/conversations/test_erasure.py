"""What a person had erased stays so, whatever comes late."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.conversations import commands, escalations, extras, feedback, notices, personal, questions, turns
from athenaeum.conversations.appointments import book
from athenaeum.conversations.appointments.book import Appointment
from athenaeum.conversations.feedback import Rating
from athenaeum.conversations.notices import Notice
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import AppointmentId, LeaseToken, MessageTs, TurnId, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.domain.turn import Answer, Occasion
from athenaeum.errors import Discard, LeaseLost
from athenaeum.events import EventProcessor
from athenaeum.worker.handlers.notice import NoticeHandler
from support.database import PostgresServer
from support.events import until
from support.questions import ASKER, CHANNEL, TS, ask
from support.slack_events import Store

CANARY = "canary-7c1d"
OTHER, SECOND = UserId("U2"), MessageTs("1700000001.000200")
NOW = datetime.now(UTC)

Late = Callable[[AsyncSession], Awaitable[object]]


@pytest.fixture
async def turn(database: DatabaseConnection, tenant: Tenant) -> TurnId:
    """Answered: a question of two messages, which two people have judged; and one that waits as a command."""
    async with database.session(tenant.id) as session:
        asked = await ask(session, CANARY)
        await session.execute(
            text("""
            INSERT INTO turn_messages (tenant_id, channel_id, message_ts, turn_id, words)
            SELECT tenant_id, channel_id, unnest(CAST(:stamps AS text[])), turn_id, :canary FROM turns"""),
            {"stamps": [TS, SECOND], "canary": CANARY},
        )
        taken = await turns.take(session, asked, LeaseToken(1))
        await turns.save_answer(session, asked, taken.fence, Answer(CANARY, model="any"))
        await turns.finish(session, asked, taken.fence)
        for user in (ASKER, OTHER):
            await feedback.give(session, asked, user=user, channel=CHANNEL, verdict=Rating.DOWN, at=NOW)
            await feedback.explain(session, asked, user=user, at=NOW, reason=CANARY)
        await book.enter(session, tenant.id, reminder(asked))
        await commands.ask(session, tenant.id, "1", user=ASKER, typed_in=CHANNEL, question=CANARY)
        await notices.enqueue_notice(session, tenant.id, Notice(CHANNEL, ASKER, CANARY, None), cause="1")
    return asked


def reminder(turn: TurnId) -> Appointment:
    in_an_hour = NOW + timedelta(hours=1)
    return Appointment(
        AppointmentId(turn), Occasion.REMINDER, CHANNEL, TS, ASKER, CANARY, None, ZoneInfo("UTC"), in_an_hour
    )


def late_ones(tenant: Tenant, turn: TurnId, typed: commands.TypedQuestion) -> list[Late]:
    """All that may still be told of the turn, by events that were on their way."""
    return [
        lambda session: feedback.give(session, turn, user=ASKER, channel=CHANNEL, verdict=Rating.DOWN, at=NOW),
        lambda session: feedback.give(session, turn, user=OTHER, channel=CHANNEL, verdict=Rating.DOWN, at=NOW),
        lambda session: feedback.explain(session, turn, user=ASKER, at=NOW, reason=CANARY),
        lambda session: feedback.explain(session, turn, user=OTHER, at=NOW, reason=CANARY),
        lambda session: questions.reword(session, CHANNEL, TS, CANARY),
        lambda session: questions.reword(session, CHANNEL, SECOND, CANARY),
        lambda session: questions.take_back(session, CHANNEL, SECOND),
        lambda session: turns.repeat(session, turn, user=ASKER, channel=CHANNEL),
        lambda session: extras.want(session, turn, user=ASKER, channel=CHANNEL, cause="late"),
        lambda session: escalations.call(session, turn, user=OTHER, channel=CHANNEL, at=NOW),
        lambda session: book.enter(session, tenant.id, reminder(turn)),
        lambda session: commands.settle(session, tenant.id, typed, place=CHANNEL, ts=SECOND),
        lambda session: commands.ask(session, tenant.id, "1", user=ASKER, typed_in=CHANNEL, question=CANARY),
    ]


@pytest.mark.parametrize("seed", range(2))
async def test_no_table_holds_a_word_of_it_whatever_comes_late_and_in_any_order(
    database: DatabaseConnection, tenant: Tenant, turn: TurnId, postgres: PostgresServer, seed: int
) -> None:
    async with database.session(tenant.id) as session:
        await escalations.set_helper(session, "S0NCALL")
        typed = await commands.look(session, "1")
        assert typed is not None
    before = holding(postgres, database)
    async with database.session(tenant.id) as session:
        await personal.erase(session, tenant.id, ASKER)
    late = late_ones(tenant, turn, typed) * 2
    random.Random(seed).shuffle(late)
    for write in late:
        with suppress(LeaseLost):  # a worker's answer to that is to stop
            async with database.session(tenant.id) as session:
                await write(session)

    assert before == {"turns", "turn_messages", "feedback", "appointments", "commands", "queued_events"}
    assert holding(postgres, database) == set()


def holding(postgres: PostgresServer, database: DatabaseConnection) -> set[str]:
    """The tables that have the canary anywhere."""
    with psycopg.connect(postgres.admin_url, dbname=urlsplit(database.url).path[1:]) as admin:
        tables = admin.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        look = sql.SQL("SELECT 1 FROM {} AS t WHERE t::text LIKE %s LIMIT 1")
        return {
            str(name)
            for (name,) in tables.fetchall()
            if admin.execute(look.format(sql.Identifier(name)), [f"%{CANARY}%"]).fetchone()
        }


async def test_what_was_to_be_told_to_them_is_told_no_more(
    database: DatabaseConnection, tenant: Tenant, turn: TurnId
) -> None:
    async with database.session(tenant.id) as session:
        await personal.erase(session, tenant.id, ASKER)
    async with database.session() as session:
        while (event := await EventProcessor(session, "worker").claim_event()) and event.kind != "notice":
            pass
    assert event is not None
    with pytest.raises(Discard, match="had their data deleted"):
        await NoticeHandler({}).handle(event)


async def test_what_comes_while_it_is_erased_waits_and_is_not_kept(
    database: DatabaseConnection, tenant: Tenant, turn: TurnId, store: Store, postgres: PostgresServer
) -> None:
    async def come() -> None:
        async with database.session(tenant.id) as session:
            await feedback.explain(session, turn, user=OTHER, at=NOW, reason=CANARY)

    async with asyncio.TaskGroup() as group, database.session(tenant.id) as session:
        await personal.erase(session, tenant.id, ASKER)
        group.create_task(come())
        await until(lambda: waits(store))

    assert holding(postgres, database) == set()


async def waits(store: Store) -> bool:
    return bool(await store.rows("SELECT 1 FROM pg_locks WHERE NOT granted"))
