"""A look, while the agent works, at whether anybody still wants the answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Never

import structlog
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.conversations import turns
from athenaeum.errors import Discard, LeaseLost

if TYPE_CHECKING:
    from athenaeum.conversations.turns import Turn
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import LeaseToken

log = structlog.get_logger(__name__)

_GLANCE = timedelta(seconds=0.8)
"""Who stops a turn sees it stopped within two seconds, also behind a pooler, through which nothing is announced."""


async def watch(database: DatabaseConnection, turn: Turn, token: LeaseToken) -> Never:
    """Look at the turn until cancelled; a database that is away is waited for.

    Raises:
        LeaseLost: The turn was stopped, or has a newer holder.
        Discard: The question was deleted.
    """
    while True:
        await asyncio.sleep(_GLANCE.total_seconds())
        try:
            async with database.session(turn.tenant) as session:
                standing = await turns.look(session, turn.id)
                withdrawn = await turns.withdrawn(session, turn)
        except (SQLAlchemyError, OSError) as error:
            log.info("watch.failed", turn_id=str(turn.id), error=type(error).__name__)
            continue
        if withdrawn:
            raise Discard("the question was deleted")
        if standing.fence != token or standing.answer is not None:
            raise LeaseLost(f"turn {turn.id} was stopped, or is held by token {standing.fence}")
