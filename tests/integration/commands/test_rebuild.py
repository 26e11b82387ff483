from __future__ import annotations

import json

from athenaeum.database.connection import DatabaseConnection
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.tenants import register
from support.command_line import CommandLine
from support.slack_events import IDENTITY, Events, Store, take


async def test_the_archive_is_made_again_and_the_events_are_counted(athenaeum: CommandLine, database_url: str) -> None:
    async with DatabaseConnection(database_url) as database:
        tenant, events = await register.bind(database, IDENTITY), Events()
        listener = Listener(database, Intake(database))
        for text in ("one", "two"):
            await take(listener, events.message(text))
        store = Store(database, tenant.id)
        await store.rows("UPDATE slack_messages SET text = 'corrupted' RETURNING 1")

        outcome = await athenaeum("slack", "rebuild", "--json")

        assert json.loads(outcome.out) == {"channels": 1, "events": 2, "unreadable": 0}
        assert [message.text for message in await store.messages()] == ["one", "two"]
