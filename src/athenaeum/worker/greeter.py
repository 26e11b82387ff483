"""Signs of life for what has to wait for a free worker, or for the answer before it in its thread.

A question gets its placeholder, and one that was stopped is shown as such.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.conversations import turns
from athenaeum.domain.identity import LeaseToken, TenantId, TurnId
from athenaeum.errors import AthenaeumError
from athenaeum.worker.delivery import intents

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.worker.delivery import Delivery

log = structlog.get_logger(__name__)

_WAITING = text("""
    SELECT id, tenant_id, payload ->> 'turn' AS turn FROM events
    WHERE event_type IN (:kind, :stop) AND status = 'pending' AND retry_count = 0 AND id > :seen
      AND created_at BETWEEN now() - interval '10 minutes' AND now() - CAST(:unseen AS interval)
    ORDER BY id LIMIT :limit""")
_AT_ONCE = 8
_NOBODY = LeaseToken(0)
"""The token of a turn that nobody has taken: when somebody does, the greeter has lost it."""


class Greeter:
    """A small loop in every worker process; several of them post no more than one."""

    def __init__(
        self, database: DatabaseConnection, delivery: Delivery, *, unseen: timedelta = timedelta(milliseconds=300)
    ) -> None:
        """`unseen` is how long a question may stand without a sign before it gets one here."""
        self._database = database
        self._delivery = delivery
        self._unseen = unseen
        self._seen = 0
        self._behind: deque[tuple[TenantId, TurnId]] = deque()
        """Questions whose turn to be greeted comes after that of another one in their thread."""

    async def run(self) -> NoReturn:
        """Greet until cancelled; a database that is away is waited for."""
        while True:
            try:
                greeted = await self.run_once()
            except (SQLAlchemyError, OSError) as error:
                log.warning("greeter.failed", error=type(error).__name__)
                greeted = 0
            if greeted < _AT_ONCE:
                await asyncio.sleep(self._unseen.total_seconds())

    async def run_once(self) -> int:
        """Greet the next turns that wait; how many there were.

        Each event is looked at once, and again while the question before it in its thread has no message: placeholders
        become answers, and these are to stand in the order of their questions. An event that commits after a later
        one was seen goes without: its worker greets it.
        """
        again = [self._behind.popleft() for _ in range(min(_AT_ONCE, len(self._behind)))]
        async with self._database.session() as session:
            kinds = {"kind": turns.TURN, "stop": turns.STOP}
            values = {"seen": self._seen, "unseen": self._unseen, "limit": _AT_ONCE}
            waiting = (await session.execute(_WAITING, kinds | values)).all()
        async with asyncio.TaskGroup() as tasks:
            for tenant, turn in again:
                tasks.create_task(self._greet(tenant, turn))
            for row in waiting:
                tasks.create_task(self._greet(TenantId(row.tenant_id), TurnId(UUID(row.turn))))
                self._seen = max(self._seen, row.id)
        return len(waiting)

    async def _greet(self, tenant: TenantId, turn: TurnId) -> None:
        try:
            async with self._database.session(tenant) as session:
                found = await turns.look(session, turn)
                behind = await intents.is_behind(session, found)
            if found.finished_at is not None:
                return
            if found.stopped_by is not None and found.answer is not None:
                await self._delivery.deliver(found, found.fence, found.answer)  # a newer holder still wins
            elif found.fence != _NOBODY:
                return
            elif behind:
                self._behind.append((tenant, turn))
            else:
                await self._delivery.placeholder(found, _NOBODY)
        except (AthenaeumError, SQLAlchemyError, OSError) as error:
            log.info("greeter.skipped", turn_id=str(turn), error=type(error).__name__)
