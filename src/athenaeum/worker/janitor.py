"""What nobody else brings to an end: turns whose event is gone or whose asker never decided, and old history.

A turn is left open when its worker died in its last attempt, when an operator dropped its event, or when Slack
could not be reached for the apology. No "Thinking…" may stay for that.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, NoReturn

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.conversations import turns
from athenaeum.database import models
from athenaeum.domain.identity import TenantId
from athenaeum.errors import AthenaeumError, LeaseLost, Refused
from athenaeum.events import tokens
from athenaeum.events.history import upkeep

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from athenaeum.conversations.turns import Turn
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import LeaseToken
    from athenaeum.worker.handlers.turn import TurnHandler

log = structlog.get_logger(__name__)

_ROUND = timedelta(minutes=1)
_UPKEEP = timedelta(hours=1)


class Janitor:
    """A loop that any number of processes may run; what it does twice shows once."""

    def __init__(
        self, database: DatabaseConnection, handler: TurnHandler, *, patience: timedelta = timedelta(minutes=10)
    ) -> None:
        """`patience` is how old a turn must be before it counts as left."""
        self._database = database
        self._handler = handler
        self._patience = patience

    async def run(self) -> NoReturn:
        """Tidy every minute until cancelled; a database that is away is waited for."""
        kept_up = -_UPKEEP.total_seconds()
        while True:
            try:
                await self.run_once()
                if monotonic() - kept_up > _UPKEEP.total_seconds():
                    await self._keep_up()
                    kept_up = monotonic()
            except (SQLAlchemyError, OSError) as error:
                log.warning("janitor.failed", error=type(error).__name__)
            await asyncio.sleep(_ROUND.total_seconds())

    async def run_once(self) -> int:
        """Close the turns that were left, of all tenants; how many there were."""
        async with self._database.session() as session:
            tenants = [TenantId(tenant) for tenant in await session.scalars(select(models.Tenant.tenant_id))]
        return sum([await self._tidy(tenant) for tenant in tenants])

    async def _tidy(self, tenant: TenantId) -> int:
        async with self._database.session(tenant) as session:
            late = await turns.overdue(session)
            left = await turns.stranded(session, older_than=self._patience)
        for turn in late:
            if not await self._end(turn, self._expire(turn)):
                return len(late)
        for turn in left:
            if not await self._end(turn, self._close(turn)):
                break
        return len(late) + len(left)

    async def _expire(self, turn: Turn) -> bool:
        return await self._handler.expire(turn, await self._token())

    async def _close(self, turn: Turn) -> bool:
        token = await self._token()
        async with self._database.session(turn.tenant) as session:
            turn = await turns.inherit(session, turn, token)
        return await self._handler.close(turn, token, Refused(turn.error or "nobody worked on it any more"))

    async def _token(self) -> LeaseToken:
        """A token of one's own: a turn's last holder may only be asleep."""
        async with self._database.session() as session:
            return await tokens.draw(session)

    @staticmethod
    async def _end(turn: Turn, ending: Awaitable[bool]) -> bool:
        """End one turn unless somebody else does; False to leave the rest for now."""
        try:
            return await ending
        except LeaseLost:
            return True
        except AthenaeumError as error:
            log.warning("janitor.turn_skipped", turn_id=str(turn.id), error=type(error).__name__)
            return True

    async def _keep_up(self) -> None:
        async with self._database.session() as session:
            await upkeep(session)
