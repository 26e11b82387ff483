"""Pays for the model requests of one turn."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import structlog
from sqlalchemy import text

from athenaeum.errors import Refused
from athenaeum.observability.metrics import BUDGET_STOPS, MODEL_DOLLARS, UNPRICED_REQUESTS
from athenaeum.tenants.budgets.budget import BudgetSpent, Scope, hold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from decimal import Decimal

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.turn import Question
    from athenaeum.llm.metering import Charge

log = structlog.get_logger(__name__)

_UNPRICED = (
    "I may spend only so much here, and nobody has told me what my language model costs, so I cannot answer."
    " An operator has to set its price."
)

# The sums see every reservation that was committed before the budgets were held, so it is a statement of its own.
_SPENT = text("""
    SELECT clock_timestamp() AS now, coalesce(sum(dollars), 0) AS tenant,
        coalesce(sum(dollars) FILTER (WHERE channel_id = :channel), 0) AS channel,
        coalesce(sum(dollars) FILTER (WHERE user_id = :user), 0) AS user
    FROM spending WHERE tenant_id = :tenant AND day = (clock_timestamp() AT TIME ZONE 'UTC')::date""")
_RESERVE = text("""
    INSERT INTO spending (tenant_id, request_id, turn_id, channel_id, user_id, day, model, dollars)
    VALUES (:tenant, :request, :turn, :channel, :user, (clock_timestamp() AT TIME ZONE 'UTC')::date, :model,
        :dollars)""")
# Without a price for what came back, the estimate stays.
_SETTLE = text("""
    UPDATE spending SET dollars = coalesce(CAST(:dollars AS numeric), dollars), input_tokens = :input_tokens,
        cache_read_tokens = :cache_read_tokens, cache_write_tokens = :cache_write_tokens,
        output_tokens = :output_tokens, settled_at = now()
    WHERE tenant_id = :tenant AND request_id = :request""")
_RELEASE = text("DELETE FROM spending WHERE tenant_id = :tenant AND request_id = :request")


class Purse:
    """A `Payer` for one attempt at a turn.

    A request is let through while something is left of every budget it is under; what it will cost is not known
    before, so that each request that is under way may go over by its own price, and no more of them begin.
    A request of whose end nothing is ever heard, as when its worker dies, keeps its estimate: it was probably paid.
    """

    def __init__(self, database: DatabaseConnection, question: Question) -> None:
        """The question says whose money it is."""
        self._database = database
        self._tenant = question.tenant
        self._turn = question.turn
        self._channel = question.place.id
        self._user = question.asker
        self._charges: list[tuple[UUID, Charge]] = []

    async def reserve(self, model: str, estimate: Decimal | None) -> UUID:
        """Note that a request is about to be made.

        Raises:
            BudgetSpent: nothing is left of a budget.
            Refused: there is a budget, and the model's price is not known.
        """
        request = uuid4()
        whose = {"tenant": self._tenant, "channel": self._channel, "user": self._user}
        async with self._database.session(self._tenant) as session:
            if estimate != 0:  # what is free is never stopped
                await self._check(session, model, estimate, whose)
            values = {"request": request, "turn": self._turn, "model": model, "dollars": estimate}
            await session.execute(_RESERVE, {**whose, **values})
        return request

    def charge(self, request: UUID, charge: Charge) -> None:
        """Keep in mind what a request came to, until `settle`."""
        self._charges.append((request, charge))
        tenant = str(self._tenant)
        if charge.dollars is None:
            UNPRICED_REQUESTS.labels(tenant, charge.model).inc()
        else:
            MODEL_DOLLARS.labels(tenant, charge.model).inc(float(charge.dollars))

    async def release(self, request: UUID) -> None:
        """Forget a request that was not carried out."""
        async with self._database.session(self._tenant) as session:
            await session.execute(_RELEASE, {"tenant": self._tenant, "request": request})

    async def settle(self, session: AsyncSession) -> None:
        """Write down what requests came to, in the transaction of the step that they were made for.

        They are kept in mind until its commit, which `settled` tells: after a rollback the next call writes the same.
        """
        for request, charge in self._charges:
            usage = charge.usage
            values = {
                "dollars": charge.dollars,
                "input_tokens": usage.input_tokens,
                "cache_read_tokens": usage.cache_read_tokens,
                "cache_write_tokens": usage.cache_write_tokens,
                "output_tokens": usage.output_tokens,
            }
            await session.execute(_SETTLE, {"tenant": self._tenant, "request": request, **values})

    def settled(self) -> None:
        """What was written down is committed."""
        self._charges.clear()

    async def settle_apart(self) -> None:
        """Write them down in a transaction of their own: what was paid is paid, whatever becomes of the step."""
        if self._charges:
            async with self._database.session(self._tenant) as session:
                await self.settle(session)
            self.settled()

    async def _check(
        self, session: AsyncSession, model: str, estimate: Decimal | None, whose: Mapping[str, object]
    ) -> None:
        held = await hold(session, channel=self._channel, user=self._user)
        if not held:
            return
        if estimate is None:
            raise Refused(
                f"a budget applies and the price of {model} is not known: set it in ATHENAEUM_MODEL_PRICES",
                user_text=_UNPRICED,
            )
        spent = (await session.execute(_SPENT, whose)).one()
        now: datetime = spent.now
        of: dict[Scope, Decimal] = {scope: getattr(spent, scope) for scope in Scope}
        for budget in held:
            if of[budget.scope] >= budget.dollars:
                BUDGET_STOPS.labels(str(self._tenant), budget.scope).inc()
                log.info("budget.spent", turn=str(self._turn), scope=budget.scope, dollars=str(budget.dollars))
                raise BudgetSpent(budget, now)
