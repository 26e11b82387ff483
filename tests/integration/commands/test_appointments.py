from __future__ import annotations

import json
from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from athenaeum.conversations.appointments import book
from athenaeum.conversations.appointments.book import Appointment
from athenaeum.conversations.appointments.rhythm import Every
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, AppointmentId, ChannelId, UserId
from athenaeum.domain.turn import Occasion
from support.command_line import CommandLine

DIGEST = Appointment(
    id=AppointmentId(UUID(int=1)),
    occasion=Occasion.DIGEST,
    channel=ChannelId("C1"),
    thread_ts=None,
    owner=UserId("U1"),
    words="",
    every=Every(frozenset(range(5)), time(9)),
    zone=ZoneInfo("Europe/Berlin"),
    next_at=datetime(2100, 1, 4, 8, tzinfo=UTC),
)


async def test_what_was_asked_for_is_listed_and_ended_by_its_number(athenaeum: CommandLine, database_url: str) -> None:
    async with DatabaseConnection(database_url) as database, database.session(DEFAULT_TENANT) as session:
        number = (await book.enter(session, DEFAULT_TENANT, DIGEST)).number
    [listed] = json.loads((await athenaeum("appointments", "list", "--json")).out)
    ended = await athenaeum("appointments", "end", str(number))
    again = await athenaeum("appointments", "end", str(number))

    assert (listed["number"], listed["next"], listed["rhythm"]) == (
        number,
        "2100-01-04 09:00 CET",
        "every weekday at 09:00",
    )
    assert ended.out == "ended the digest of U1 in C1\n"
    assert (again.status, "there is no appointment" in again.err) == (1, True)
    assert (await athenaeum("appointments", "list")).out == "nobody has asked for a digest or a reminder\n"
