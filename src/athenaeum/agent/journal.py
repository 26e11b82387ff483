"""The journal of a turn: each finished step is recorded once and never done again.

A step is a model request, a tool call, or the making of the prompt. The next attempt at the turn finds the results
of the steps that were finished and goes on from there. Built on the extension points of `pydantic_ai.durable_exec`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, Token
from typing import Any, Self

import structlog
from pydantic_ai.durable_exec import (
    JSON_CODEC,
    BaseDurabilityCapability,
    DurabilityEngineSpec,
    DurableOperationId,
    EventStreamHandlerId,
    JournalCallableOperationBackend,
    RoleBasedOperationConfig,
    conversation_id_from_run_id,
)
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.jsonb import storable
from athenaeum.domain.identity import LeaseToken, TenantId, TurnId
from athenaeum.errors import LeaseLost
from athenaeum.tools.grant import Grant

log = structlog.get_logger(__name__)

# The row of the turn is locked while a step is recorded: whoever takes the turn over waits for the step, or the
# step sees the newer fence and is not written.
_RECORD = text("""
INSERT INTO steps (tenant_id, turn_id, name, seq, result, fence)
SELECT tenant_id, turn_id, :name, :seq, CAST(:result AS jsonb), fence
FROM turns WHERE turn_id = :turn AND fence = :fence FOR SHARE
ON CONFLICT (tenant_id, turn_id, name, seq) DO UPDATE SET result = excluded.result, fence = excluded.fence
""")
_HELD = text("SELECT fence = :fence FROM turns WHERE turn_id = :turn")
_STEPS = text("SELECT name, seq, result FROM steps WHERE turn_id = :turn")


class Journal:
    """The steps of one attempt at a turn, as an async context manager: inside it, model requests and tools are steps.

    Raises LeaseLost, on entering and on recording, when `fence` is not the turn's newest token; nothing is written.
    """

    def __init__(self, database: DatabaseConnection, *, tenant: TenantId, turn: TurnId, fence: LeaseToken) -> None:
        """`fence` is the token of the claim under which this attempt runs."""
        self._database = database
        self._tenant = tenant
        self._turn = turn
        self._fence = fence
        self._finished: dict[tuple[str, int], Any] = {}
        self._begun: Counter[str] = Counter()
        self._opened: Token[Journal | None] | None = None

    @property
    def run_id(self) -> str:
        """The same for every attempt."""
        return str(self._turn)

    async def __aenter__(self) -> Self:
        """Read what earlier attempts have finished."""
        async with self._database.session(self._tenant) as session:
            held = await session.scalar(_HELD, {"turn": self._turn, "fence": self._fence})
            if not held:
                raise LeaseLost(f"turn {self._turn} is not held by token {self._fence}")
            rows = await session.execute(_STEPS, {"turn": self._turn})
            self._finished = {(row.name, row.seq): row.result for row in rows}
        self._opened = _journal.set(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop journaling."""
        if self._opened is not None:
            _journal.reset(self._opened)
            self._opened = None

    async def step(self, name: str, body: Callable[[], Awaitable[Any]]) -> Any:
        """The recorded result of this step, else the result of `body`, recorded; a result is plain JSON values.

        Steps of the same name are told apart by their order, so they must come in the same order on every attempt.
        """
        seq = self._begun[name]
        self._begun[name] += 1
        if (name, seq) in self._finished:
            log.debug("step.replayed", turn=self.run_id, step=name, seq=seq)
            return self._finished[name, seq]
        result = storable(await body())
        await self._record(name, seq, result)
        return result

    async def _record(self, name: str, seq: int, result: Any) -> None:
        values = {"name": name, "seq": seq, "result": json.dumps(result), "turn": self._turn, "fence": self._fence}
        async with self._database.session(self._tenant) as session:
            recorded = await session.execute(_RECORD, values)
            if recorded.rowcount != 1:  # pyright: ignore[reportAttributeAccessIssue] - an INSERT gives a cursor result
                raise LeaseLost(f"turn {self._turn} was taken over before step {name} was recorded")
        log.debug("step.recorded", turn=self.run_id, step=name, seq=seq)


_journal: ContextVar[Journal | None] = ContextVar("athenaeum_journal", default=None)


class _Steps(JournalCallableOperationBackend[None]):
    """Runs the library's durable operations as steps of the open journal."""

    async def execute(
        self,
        *,
        operation_id: DurableOperationId,
        name: str,
        body: Callable[[], Awaitable[object]],
        cache_key: tuple[object, ...],
        config: None,
    ) -> object:
        del cache_key, config
        journal = _journal.get()
        if journal is None or isinstance(operation_id, EventStreamHandlerId):  # progress is shown, not recorded
            return await body()
        return await journal.step(name, body)


class Journaled(BaseDurabilityCapability[Grant]):
    """Makes every model request and tool call of an agent a step of the open journal; transparent without one."""

    engine_spec = DurabilityEngineSpec(
        engine_name="Athenaeum's journal",
        durable_unit_noun="step",
        durable_container_noun="turn",
        codec=JSON_CODEC,
        # Calls of one response in the order the model wrote them: the order is what identifies a step.
        sequential_tools_in_durable_context=True,
    )

    @property
    def in_durable_context(self) -> bool:
        """Whether a journal is open."""
        return _journal.get() is not None

    def get_durable_operation_backend(self) -> _Steps:
        """Steps are named after the agent: its name must never change."""
        config = RoleBasedOperationConfig(model=None, event=None, capability=None, tool=None)
        return _Steps(agent_name=self.name, config=config)

    def get_default_run_id(self) -> str | None:
        """The same for every attempt at a turn."""
        journal = _journal.get()
        return journal.run_id if journal else None

    def get_default_conversation_id(self, run_id: str) -> str | None:
        """Derived from the run's id, so that it too is the same for every attempt."""
        return conversation_id_from_run_id(run_id) if _journal.get() else None
