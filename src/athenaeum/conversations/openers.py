"""Questions that somebody may begin a talk with the bot by, where Slack can show them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from athenaeum.domain.event import NewEvent
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, TenantId, UserId

OPENERS = "openers"
"""The kind of event that has a person offered such questions; its payload is a `Talk`."""


@dataclass(frozen=True, slots=True)
class Talk:
    """The direct message that somebody has opened."""

    channel: ChannelId
    user: UserId


async def want_openers(session: AsyncSession, tenant: TenantId, talk: Talk, *, cause: str) -> None:
    """Have the questions offered soon; for the same `cause` once."""
    dedupe_key = f"{OPENERS}:{talk.user}:{cause}"
    await enqueue(
        session,
        NewEvent(kind=OPENERS, payload=asdict(talk), tenant=tenant, dedupe_key=dedupe_key, fair_key=talk.user),
    )
