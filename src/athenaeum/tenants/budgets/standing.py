"""How the day's budgets stand, for people to look at: what is reserved by others meanwhile is not waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from athenaeum.tenants.budgets.budget import Scope, applying

if TYPE_CHECKING:
    from decimal import Decimal

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, UserId

_SPENT = text("""
    SELECT coalesce(sum(dollars), 0) AS tenant,
        coalesce(sum(dollars) FILTER (WHERE channel_id = :channel), 0) AS channel,
        coalesce(sum(dollars) FILTER (WHERE user_id = :user), 0) AS user
    FROM spending WHERE day = (clock_timestamp() AT TIME ZONE 'UTC')::date""")


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget in US dollars, and what was spent of it since midnight UTC; that may be more than there was."""

    scope: Scope
    dollars: Decimal
    spent: Decimal


async def standing(session: AsyncSession, *, channel: ChannelId, user: UserId) -> list[Standing]:
    """The budgets that a question of this person in this channel is under, the session's tenant's first."""
    budgets = await applying(session, channel=channel, user=user)
    if not budgets:
        return []
    spent = (await session.execute(_SPENT, {"channel": channel, "user": user})).one()
    order = list(Scope)
    return [
        Standing(budget.scope, budget.dollars, getattr(spent, budget.scope))
        for budget in sorted(budgets, key=lambda budget: order.index(budget.scope))
    ]
