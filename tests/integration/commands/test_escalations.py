"""`athenaeum escalations`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from athenaeum.conversations import escalations
from athenaeum.conversations.archive import channels
from athenaeum.conversations.escalations import Calling
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import DEFAULT_TENANT
from support.command_line import CommandLine
from support.questions import ASKER, CHANNEL, ask


async def ask_for_a_human(database_url: str) -> Calling:
    async with DatabaseConnection(database_url, pool_size=1) as database, database.session(DEFAULT_TENANT) as session:
        await channels.meet(session, CHANNEL, ChannelKind.PUBLIC)
        turn = await ask(session, "How do I retry?")
        return await escalations.call(session, turn, user=ASKER, channel=CHANNEL, at=datetime(2026, 11, 21, tzinfo=UTC))


async def test_who_is_called_is_set_listed_and_taken_back(athenaeum: CommandLine, database_url: str) -> None:
    assert (await athenaeum("escalations", "helpers")).out == "nobody is called: there is no button\n"
    assert await ask_for_a_human(database_url) is Calling.NOBODY

    await athenaeum("escalations", "set", "S0NCALL")
    await athenaeum("escalations", "set", "U0TOM", "--channel", "C1")
    listed = json.loads((await athenaeum("escalations", "helpers", "--json")).out)
    await athenaeum("escalations", "unset", "--channel", "C1")

    assert listed == [{"channel": None, "helper": "S0NCALL"}, {"channel": "C1", "helper": "U0TOM"}]
    assert (await athenaeum("escalations", "helpers")).out.split() == ["channel", "called", "the", "others", "S0NCALL"]
    missing = await athenaeum("escalations", "unset", "--channel", "C1")
    assert (missing.status, "escalations helpers" in missing.complaint) == (1, True)


async def test_who_asked_for_a_human_is_listed(athenaeum: CommandLine, database_url: str) -> None:
    assert (await athenaeum("escalations", "list")).out == "nobody has asked for a human\n"
    await athenaeum("escalations", "set", "S0NCALL")
    assert await ask_for_a_human(database_url) is Calling.CALLED

    assert "S0NCALL" in (await athenaeum("escalations", "list")).out
    [told] = json.loads((await athenaeum("escalations", "list", "--json")).out)
    assert (told["helper"], told["asked_by"], told["resolved_by"]) == ("S0NCALL", "U1", None)


async def test_what_is_no_id_is_refused_in_one_line(athenaeum: CommandLine) -> None:
    refused = await athenaeum("escalations", "set", "@oncall")
    assert (refused.status, "no id of a user group" in refused.complaint) == (2, True)
