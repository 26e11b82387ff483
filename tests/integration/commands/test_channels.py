from __future__ import annotations

import json

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.models import SlackChannel
from athenaeum.domain.identity import DEFAULT_TENANT
from support.command_line import CommandLine


async def known(url: str) -> None:
    """Two channels and a direct message."""
    async with DatabaseConnection(url) as database, database.session(DEFAULT_TENANT) as session:
        for channel, name, kind in (("C1", "general", "public"), ("C2", "platform", "private"), ("D1", "", "im")):
            session.add(SlackChannel(tenant_id=DEFAULT_TENANT, channel_id=channel, name=name, kind=kind))


async def test_a_channel_is_answered_by_the_mode_it_was_given(athenaeum: CommandLine, database_url: str) -> None:
    await known(database_url)
    by_name = await athenaeum("channels", "mode", "#platform", "questions", "--cap", "5")
    by_id = await athenaeum("channels", "mode", "C1", "suggest")
    listed = json.loads((await athenaeum("channels", "list", "--json")).out)

    assert (by_name.out, by_id.out) == (
        "#platform: questions, 5 a day at most\n",
        "#general: suggest, 20 a day at most\n",
    )
    assert [(one["name"], one["mode"], one["cap"], one["answered"]) for one in listed] == [
        ("general", "suggest", 20, 0),
        ("platform", "questions", 5, 0),
    ]
    assert "0 of 5" in (await athenaeum("channels", "list")).out


async def test_a_channel_that_is_not_known_is_named(athenaeum: CommandLine, database_url: str) -> None:
    await known(database_url)
    outcome = await athenaeum("channels", "mode", "nowhere", "all")

    assert outcome.status == 1
    assert "there is no channel 'nowhere'" in outcome.err
