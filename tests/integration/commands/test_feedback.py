"""`athenaeum feedback`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from athenaeum.conversations import feedback
from athenaeum.conversations.feedback import Rating
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, TurnId
from support.command_line import CommandLine
from support.questions import ASKER, CHANNEL, ask

AT = datetime(2026, 11, 21, tzinfo=UTC)


async def judge(database_url: str) -> TurnId:
    """Somebody finds an answer of no help."""
    async with DatabaseConnection(database_url, pool_size=1) as database, database.session(DEFAULT_TENANT) as session:
        turn = await ask(session, "How do I [bold]retry?")
        await feedback.give(session, turn, user=ASKER, channel=CHANNEL, verdict=Rating.DOWN, at=AT)
        return turn


async def explain(database_url: str, turn: TurnId) -> None:
    async with DatabaseConnection(database_url, pool_size=1) as database, database.session(DEFAULT_TENANT) as session:
        assert await feedback.explain(session, turn, user=ASKER, at=AT, reason="It is old.")


async def test_what_people_say_of_answers_is_listed(athenaeum: CommandLine, database_url: str) -> None:
    assert (await athenaeum("feedback", "list")).out == "nobody has said anything of an answer yet\n"

    turn = await judge(database_url)

    assert "How do I [bold]retry?" in (await athenaeum("feedback", "list")).out
    [told] = json.loads((await athenaeum("feedback", "list", "--json")).out)
    assert (told["verdict"], told["user"], told["channel"]) == ("down", "U1", "C1")

    await explain(database_url, turn)
    assert "It is old." in (await athenaeum("feedback", "list")).out
