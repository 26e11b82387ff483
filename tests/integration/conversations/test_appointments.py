"""A time that comes: what is opened, what is left out, and what ends."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from athenaeum.conversations.appointments import book
from athenaeum.conversations.appointments.book import Appointment
from athenaeum.conversations.appointments.keeping import LATEST, Kept, keep
from athenaeum.conversations.appointments.rhythm import Every
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.models import SlackChannel, SlackMember, SlackMessage, SlackUser
from athenaeum.domain.identity import AppointmentId, ChannelId, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.domain.turn import Occasion
from athenaeum.events import schedules
from athenaeum.retrieval.index import Index
from support.index import message
from support.slack_events import Store

GENERAL = ChannelId("C1")
MAYA = UserId("U1")
DIGEST = AppointmentId(UUID(int=1))
DAILY = Every(frozenset(range(7)), time(9))
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
async def _general(database: DatabaseConnection, tenant: Tenant) -> None:  # pyright: ignore[reportUnusedFunction]
    """Maya and the bot are in #general, where something was said half a day ago."""
    of = {"tenant_id": tenant.id}
    async with database.session(tenant.id) as session:
        now = await book.database_now(session)
        session.add(SlackChannel(**of, channel_id=GENERAL, name="general", kind="public", members_read_at=now))
        session.add(SlackUser(**of, user_id=MAYA, name="maya"))
        session.add_all(SlackMember(**of, channel_id=GENERAL, user_id=user) for user in (MAYA, tenant.bot_user))
        said = {"ts": "1.000001", "sent_at": now - timedelta(hours=12), "user_id": MAYA, "text": "We move."}
        session.add(SlackMessage(**of, channel_id=GENERAL, **said))
        await session.flush()
        await Index(database, None).put(session, tenant.id, "slack:C1:1.000001", [message("We move.", GENERAL)])


async def kept(database: DatabaseConnection, tenant: Tenant, *, late: timedelta = timedelta(0)) -> Kept:
    """What becomes of a daily digest that is due, or late."""
    async with database.session(tenant.id) as session:
        now = await book.database_now(session)
        wanted = Appointment(
            DIGEST, Occasion.DIGEST, GENERAL, None, MAYA, "", DAILY, BERLIN, now - late, now - timedelta(days=1)
        )
        await book.enter(session, tenant.id, wanted)
    async with database.session(tenant.id) as session:
        return await keep(session, tenant, DIGEST)


async def test_a_digest_is_opened_once_and_again_at_its_time_on_the_wall(
    database: DatabaseConnection, tenant: Tenant, store: Store
) -> None:
    assert await kept(database, tenant) is Kept.OPENED
    async with database.session(tenant.id) as session:
        assert await keep(session, tenant, DIGEST) is Kept.EARLY
        [standing] = await book.listed(session)
        [brought_up] = [found.next_at for found in await schedules.list_schedules(session)]

    assert standing.next_at == brought_up
    assert f"{standing.next_at.astimezone(BERLIN):%H:%M}" == "09:00"
    assert [turn.asker_id for turn in await store.turns()] == [MAYA]
    assert await store.rows("SELECT occasion FROM turns WHERE since IS NOT NULL") == [("digest",)]


async def test_one_that_is_too_late_is_left_out_once_and_the_next_tells_of_its_time_too(
    database: DatabaseConnection, tenant: Tenant, store: Store
) -> None:
    assert await kept(database, tenant, late=LATEST + timedelta(minutes=1)) is Kept.SKIPPED
    async with database.session(tenant.id) as session:
        assert await keep(session, tenant, DIGEST) is Kept.EARLY
        [standing] = await book.listed(session)

    assert standing.since is not None
    assert standing.next_at - standing.since > timedelta(days=1)
    assert await store.turns() == []


@pytest.mark.parametrize(
    ("change", "then"),
    [
        ("UPDATE slack_channels SET is_archived = true", Kept.ENDED),
        ("UPDATE slack_users SET is_deleted = true", Kept.ENDED),
        ("DELETE FROM slack_members WHERE user_id = 'U1'", Kept.ENDED),
        ("DELETE FROM slack_members WHERE user_id <> 'U1'", Kept.ENDED),
        ("UPDATE slack_channels SET members_read_at = NULL", Kept.SKIPPED),
        ("UPDATE slack_messages SET deleted_at = now()", Kept.SKIPPED),
    ],
)
async def test_a_digest_ends_with_its_channel_and_whoever_asked_for_it(
    database: DatabaseConnection, tenant: Tenant, store: Store, change: str, then: Kept
) -> None:
    async with database.session(tenant.id) as session:
        await session.execute(text(change))

    assert await kept(database, tenant) is then
    assert await store.turns() == []
    left = [] if then is Kept.ENDED else [(1,)]
    assert await store.rows("SELECT 1 FROM appointments") == left
    assert await store.rows("SELECT 1 FROM event_schedules") == left


async def test_when_the_bot_leaves_what_was_asked_for_before_ends(
    database: DatabaseConnection, tenant: Tenant, store: Store
) -> None:
    await kept(database, tenant)
    async with database.session(tenant.id) as session:
        now = await book.database_now(session)
        await book.end_of_channel(session, tenant.id, GENERAL, before=now - timedelta(hours=1))  # it has come back
        assert len(await book.listed(session)) == 1
        await book.end_of_channel(session, tenant.id, GENERAL, before=now)

    assert await store.rows("SELECT 1 FROM appointments") == []
