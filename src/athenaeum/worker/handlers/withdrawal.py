"""A question was deleted after it was answered: the answer goes too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import commands, turns
from athenaeum.errors import RetryLater
from athenaeum.worker.handlers.turn import turn_id_of

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.worker.delivery import Delivery

log = structlog.get_logger(__name__)


class WithdrawalHandler:
    """Takes answers away: from Slack first, and then from the store, so that what is left in Slack is known."""

    def __init__(self, database: DatabaseConnection, delivery: Delivery) -> None:
        """`delivery` is that of the turns."""
        self._database = database
        self._delivery = delivery

    async def handle(self, event: Event) -> None:
        """Delete the answer's messages; where Slack deletes nothing, they say so instead."""
        async with self._database.session(event.tenant) as session:
            turn = await turns.look(session, turn_id_of(event))
            root = await commands.root_of(session, turn.id)
        if turn.finished_at is None:
            raise RetryLater("somebody still works on the question that was deleted")
        await self._delivery.take_away(turn, root=root)
        async with self._database.session(event.tenant) as session:
            await turns.empty(session, [turn.id])
            await commands.drop(session, turn.id)

    async def give_up(self, event: Event, error: Exception) -> None:
        """Whoever deleted the question may have the answer deleted by an admin of the workspace."""
        log.warning("answer.not_withdrawn", event_id=event.id, error=type(error).__name__)
