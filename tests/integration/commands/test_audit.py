"""What an operator sets is on record."""

from __future__ import annotations

from athenaeum.conversations.archive import channels
from athenaeum.database import audit
from athenaeum.database.audit import Deed
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId
from support.command_line import CommandLine


async def test_what_is_set_by_command_is_on_record(athenaeum: CommandLine, database_url: str) -> None:
    async with DatabaseConnection(database_url, pool_size=1) as database, database.session(DEFAULT_TENANT) as session:
        await channels.meet(session, ChannelId("C1"), ChannelKind.PUBLIC)
    for command in (
        "escalations set S0NCALL",
        "escalations unset",
        "channels mode C1 all",
        "budgets set 1 --user each",
    ):
        await athenaeum(*command.split())

    async with DatabaseConnection(database_url, pool_size=1) as database, database.session(DEFAULT_TENANT) as session:
        entries = await audit.entries(session)
    assert {entry.actor for entry in entries} == {audit.OPERATOR}
    assert [(entry.deed, entry.subject, entry.detail) for entry in reversed(entries)] == [
        (Deed.HELPER_CHANGED, "all", {"helper": "S0NCALL"}),
        (Deed.HELPER_CHANGED, "all", {"helper": None}),
        (Deed.MODE_CHANGED, "C1", {"mode": "all", "cap": 20}),
        (Deed.BUDGET_CHANGED, "user each", {"dollars": "1"}),
    ]
