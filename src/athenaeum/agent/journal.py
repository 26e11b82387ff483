"""The journal of a turn: each finished step is recorded once and never done again.

A step is a model request, a tool call, or the making of the prompt. The next attempt at the turn finds the results
of the steps that were finished and goes on from there.

A step is known again by its name, its place among the steps of that name, and the fingerprint of what it was made
from: the conversation for a model request, the arguments for a tool call. Steps come in the same order on every
attempt. So an attempt that is about to do something new while recorded steps are left has left the way of the
attempt before it, most often because a release came between them. Those steps belong to a conversation that is not
held any more: they are forgotten, and the attempt goes on by itself. But where one of them is a change to the world
that was begun, nothing may be done that could do it again: the turn ends, and its asker is told.

A change is recorded when it is begun and again when it is done. One that was begun and whose end is not on record
may have happened: it is not done again either.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any, Self

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.agent.versions import Versions
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.jsonb import storable
from athenaeum.domain.identity import LeaseToken
from athenaeum.domain.turn import Question
from athenaeum.errors import LeaseLost, Refused, RetryLater
from athenaeum.tenants.budgets import Purse

log = structlog.get_logger(__name__)

CHANGED = "I was updated while I worked on this, and stopped so as not to change anything twice."

# The row of the turn is locked while a step is recorded: whoever takes the turn over waits for the step, or the
# step sees the newer fence and is not written.
_RECORD = text("""
INSERT INTO steps (tenant_id, turn_id, name, seq, inputs, once, result, prompts, tools, model, fence)
SELECT tenant_id, turn_id, :name, :seq, :inputs, :once, CAST(:result AS json), :prompts, :tools, :model, fence
FROM turns WHERE turn_id = :turn AND fence = :fence FOR SHARE
ON CONFLICT (tenant_id, turn_id, name, seq) DO UPDATE SET result = excluded.result, fence = excluded.fence,
    finished_at = now()
""")
_HELD = text("SELECT fence = :fence FROM turns WHERE turn_id = :turn FOR SHARE")
_STEPS = text("SELECT name, seq, inputs, once, result::text FROM steps WHERE turn_id = :turn")
_FORGET = text("DELETE FROM steps WHERE turn_id = :turn AND name = :name AND seq = :seq")


class BegunBefore(Exception):  # noqa: N818 - says what is known, like the errors of the house
    """A change was begun by an attempt that did not live to say how it ended."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is about to be done. `inputs` is the fingerprint of what it is made from."""

    name: str
    inputs: str
    model: str | None = None
    once: bool = False
    """A change to the world: recorded before it is begun, and never begun twice."""


@dataclass(frozen=True, slots=True)
class _Recorded:
    inputs: str
    once: bool
    result: str | None


class Journal:
    """The steps of one attempt at a turn, as an async context manager: inside it, model requests and tools are steps.

    Raises LeaseLost, on entering and on recording, when `fence` is not the turn's newest token; nothing is written.
    """

    def __init__(
        self, database: DatabaseConnection, question: Question, *, fence: LeaseToken, versions: Versions, purse: Purse
    ) -> None:
        """`fence` is the token of the claim under which this attempt runs; `versions` are noted at what it records.

        What `purse` paid for a step is written down with it.
        """
        self._database = database
        self._tenant = question.tenant
        self._turn = question.turn
        self._fence = fence
        self._purse = purse
        self._versions = versions
        self._left: dict[tuple[str, int], _Recorded] = {}
        self._begun: Counter[str] = Counter()
        self._replayed: tuple[tuple[str, int], _Recorded] | None = None
        self._opened: Token[Journal | None] | None = None

    @property
    def run_id(self) -> str:
        """The same for every attempt."""
        return str(self._turn)

    async def __aenter__(self) -> Self:
        """Read what earlier attempts have finished."""
        async with self._database.session(self._tenant) as session:
            await self._check(session)
            rows = await session.execute(_STEPS, {"turn": self._turn})
            self._left = {(row.name, row.seq): _Recorded(row.inputs, row.once, row.result) for row in rows}
        self._opened = _journal.set(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop journaling."""
        if self._opened is not None:
            _journal.reset(self._opened)
            self._opened = None

    async def step(self, step: Step, body: Callable[[], Awaitable[Any]]) -> Any:
        """The recorded result of this step, else the result of `body`, recorded; a result is plain JSON values.

        Raises:
            BegunBefore: The step is a change that was begun and may have happened; `body` is not run.
            Refused: The attempt has left the way of the one before, which had begun a change.
            LeaseLost: Another attempt has the turn; the result is not recorded.
        """
        place = step.name, self._begun[step.name]
        self._begun[step.name] += 1
        recorded = self._left.get(place)
        if recorded is not None and recorded.inputs == step.inputs:
            del self._left[place]
            self._replayed = place, recorded
            log.debug("step.replayed", turn=self.run_id, step=step.name, seq=place[1])
            if recorded.result is None:
                raise BegunBefore(step.name)
            return json.loads(recorded.result)
        await self._forget(self._left)
        try:
            return await self._do(step, place[1], body)
        except Exception:
            await self._purse.settle_apart()  # not on record, and paid for all the same
            raise

    async def forget_unreadable(self) -> None:
        """Forget the last replayed step, which this release cannot read, and what came after it.

        Raises:
            Refused: One of these was a change.
        """
        if self._replayed is not None:
            await self._forget(self._left | dict([self._replayed]))

    async def _do(self, step: Step, seq: int, body: Callable[[], Awaitable[Any]]) -> Any:
        if step.once:
            await self._record(step, seq, None)
        try:
            result = json.dumps(storable(await body()))
        except RetryLater:
            if step.once:  # the tool says so itself: nothing was done yet
                await self._unrecord([(step.name, seq)])
            raise
        await self._record(step, seq, result)
        return json.loads(result)

    async def _record(self, step: Step, seq: int, result: str | None) -> None:
        values = {"name": step.name, "seq": seq, "inputs": step.inputs, "once": step.once, "result": result}
        values |= {"prompts": self._versions.prompts, "tools": self._versions.tools, "model": step.model}
        async with self._database.session(self._tenant) as session:
            recorded = await session.execute(_RECORD, {**values, "turn": self._turn, "fence": self._fence})
            if recorded.rowcount != 1:  # pyright: ignore[reportAttributeAccessIssue] - an INSERT gives a cursor result
                raise LeaseLost(f"turn {self._turn} was taken over before step {step.name} was recorded")
            await self._purse.settle(session)
        self._purse.settled()
        log.debug("step.recorded", turn=self.run_id, step=step.name, seq=seq, begun=result is None)

    async def _forget(self, steps: dict[tuple[str, int], _Recorded]) -> None:
        if not steps:
            return
        if changed := sorted(name for (name, _), recorded in steps.items() if recorded.once):
            raise Refused(f"the turn was resumed on another way, and had begun {', '.join(changed)}", user_text=CHANGED)
        log.warning("journal.diverged", turn=self.run_id, forgotten=len(steps))
        await self._unrecord(list(steps))
        self._left = {}

    async def _unrecord(self, places: list[tuple[str, int]]) -> None:
        async with self._database.session(self._tenant) as session:
            await self._check(session)
            values = [{"turn": self._turn, "name": name, "seq": seq} for name, seq in places]
            await session.execute(_FORGET, values)

    async def _check(self, session: AsyncSession) -> None:
        if not await session.scalar(_HELD, {"turn": self._turn, "fence": self._fence}):
            raise LeaseLost(f"turn {self._turn} is not held by token {self._fence}")


def current_journal() -> Journal | None:
    """The journal that is open in this task."""
    return _journal.get()


_journal: ContextVar[Journal | None] = ContextVar("athenaeum_journal", default=None)
