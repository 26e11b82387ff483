"""`athenaeum feedback`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from athenaeum.conversations import feedback, turns
from athenaeum.conversations.feedback import Rating
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs, UserId
from support.command_line import CommandLine

CHANNEL, ASKER, TS = ChannelId("C1"), UserId("U1"), MessageTs("1700000000.000100")


async def judge(database_url: str) -> None:
    """Somebody finds an answer of no help."""
    async with DatabaseConnection(database_url, pool_size=1) as database, database.session(DEFAULT_TENANT) as session:
        turn = await turns.open_turn(
            session,
            tenant=DEFAULT_TENANT,
            surface=Surface.SLACK,
            channel=CHANNEL,
            message_ts=TS,
            thread_ts=TS,
            asker=ASKER,
            question="How do I [bold]retry?",
        )
        assert turn is not None
        at = datetime(2026, 11, 21, tzinfo=UTC)
        await feedback.give(session, turn, user=ASKER, channel=CHANNEL, verdict=Rating.DOWN, at=at)


async def test_what_people_say_of_answers_is_listed(athenaeum: CommandLine, database_url: str) -> None:
    assert (await athenaeum("feedback", "list")).out == "nobody has said anything of an answer yet\n"

    await judge(database_url)

    assert "How do I [bold]retry?" in (await athenaeum("feedback", "list")).out
    [told] = json.loads((await athenaeum("feedback", "list", "--json")).out)
    assert (told["verdict"], told["user"], told["channel"]) == ("down", "U1", "C1")
