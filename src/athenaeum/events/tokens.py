"""Fencing tokens for those who write without a claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from athenaeum.domain.identity import LeaseToken

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_DRAW = text("SELECT nextval('lease_tokens')")


async def draw(session: AsyncSession) -> LeaseToken:
    """A token newer than that of every claim until now; the session has no tenant."""
    return LeaseToken((await session.execute(_DRAW)).scalar_one())
