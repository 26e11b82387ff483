"""Waiting for a turn's answer, as the terminal does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from athenaeum.conversations.turns.ledger import TURNS_CHANNEL, look
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId, TurnId
    from athenaeum.domain.turn import Answer

_LOOK_AGAIN = 2.0
"""Seconds after which the row is read even without a notification: one is lost when its connection is."""
_LOOK_UNTOLD = 0.5
"""The same behind a pooler, where none comes through."""


async def wait_for(database: DatabaseConnection, tenant: TenantId, turn: TurnId) -> Answer:
    """The turn's answer, once the turn has ended; put a timeout around it.

    Raises:
        Refused: The turn failed; the message says why.
        Discard: There is no such turn.
    """
    stirred = asyncio.Event()

    def hear(said: str | None) -> None:
        if said in {None, str(turn)}:
            stirred.set()

    subscriptions = database.subscriptions
    async with subscriptions.subscribe(TURNS_CHANNEL, hear):
        while True:
            async with database.session(tenant) as session:
                found = await look(session, turn)
            if found.finished_at is not None:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_UNTOLD if subscriptions.deaf.is_set() else _LOOK_AGAIN):
                    await stirred.wait()
            stirred.clear()
    if found.answer is None or found.error is not None:  # of a failed turn the answer is the apology
        raise Refused(found.error or "the turn ended without an answer")
    return found.answer
