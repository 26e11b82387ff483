"""What may be spent in a day, and the error of a budget that is spent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from athenaeum.database import models
from athenaeum.domain.price import in_dollars
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, TenantId, UserId

_ROW = models.Budget
EACH = ""
"""The subject of a budget that each channel or person has who has none of their own."""


class Scope(StrEnum):
    """Whose money it is."""

    TENANT = "tenant"
    CHANNEL = "channel"
    USER = "user"


_WHOSE = {Scope.TENANT: "This workspace's", Scope.CHANNEL: "This channel's", Scope.USER: "Your"}


@dataclass(frozen=True, slots=True)
class DayBudget:
    """US dollars that may be spent on models between one midnight of UTC and the next."""

    scope: Scope
    subject: str
    """A channel's or person's id, or EACH."""
    dollars: Decimal


class BudgetSpent(Refused):
    """Nothing is left of a budget; tomorrow there is."""

    def __init__(self, budget: DayBudget, now: datetime) -> None:
        """Name the budget to the operator, and to the person also when it starts again."""
        midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
        whose = budget.scope if budget.scope is Scope.TENANT else f"{budget.scope} {budget.subject or 'each'}"
        amount = in_dollars(budget.dollars)
        super().__init__(
            f"the budget of {amount} a day is spent ({whose})",
            user_text=f"{_WHOSE[budget.scope]} budget of {amount} a day for language models is spent, so I stopped"
            f" here; it starts again at 00:00 UTC, in {_told(midnight - now)}.",
        )
        self.budget = budget


async def set_budget(session: AsyncSession, tenant: TenantId, budget: DayBudget) -> None:
    """Let so much be spent from now on; what was spent today counts."""
    values = {"scope": budget.scope, "subject": budget.subject, "dollars": budget.dollars}
    row = insert(_ROW).values(tenant_id=tenant, **values)
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "scope", "subject"], set_={"dollars": row.excluded.dollars}
        )
    )


async def unset_budget(session: AsyncSession, scope: Scope, subject: str) -> bool:
    """Whether there was such a budget of the session's tenant."""
    gone = delete(_ROW).where(_ROW.scope == scope, _ROW.subject == subject).returning(_ROW.scope)
    return (await session.execute(gone)).first() is not None


async def budgets(session: AsyncSession) -> list[DayBudget]:
    """All of the session's tenant."""
    rows = await session.scalars(select(_ROW).order_by(_ROW.scope, _ROW.subject))
    return [_read(row) for row in rows]


async def hold(session: AsyncSession, *, channel: ChannelId, user: UserId) -> list[DayBudget]:
    """The budgets that a question of this person in this channel is under, held until the transaction ends.

    Whoever else spends of one of them waits that long, and then sees what was reserved.
    """
    return await _closest(session, _asked(channel, user).with_for_update(), channel, user)


async def applying(session: AsyncSession, *, channel: ChannelId, user: UserId) -> list[DayBudget]:
    """The same, held by nobody."""
    return await _closest(session, _asked(channel, user), channel, user)


def _asked(channel: ChannelId, user: UserId) -> Select[models.Budget]:
    return select(_ROW).where(_ROW.subject.in_([EACH, channel, user])).order_by(_ROW.scope, _ROW.subject)


async def _closest(
    session: AsyncSession, asked: Select[models.Budget], channel: ChannelId, user: UserId
) -> list[DayBudget]:
    closest: dict[Scope, DayBudget] = {}
    for row in await session.scalars(asked):
        budget = _read(row)  # of a scope that of EACH comes first
        if budget.subject in {EACH, channel if budget.scope is Scope.CHANNEL else user}:
            closest[budget.scope] = budget
    return list(closest.values())


def _read(row: models.Budget) -> DayBudget:
    return DayBudget(Scope(row.scope), row.subject, row.dollars)


def _told(left: timedelta) -> str:
    minutes = max(1, -(-left // timedelta(minutes=1)))
    hours, minutes = divmod(minutes, 60)
    return " ".join(f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min")) if count)
