"""Words for one person alone, where something was refused to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from athenaeum.domain.event import NewEvent
from athenaeum.events import enqueue

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import ChannelId, MessageTs, TenantId, UserId

NOTICE = "notice"
"""The kind of event that shows somebody a message nobody else sees; its payload is a `Notice`."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is shown to whom, and where."""

    channel: ChannelId
    user: UserId
    text: str
    thread_ts: MessageTs | None


async def enqueue_notice(session: AsyncSession, tenant: TenantId, notice: Notice, *, cause: str) -> None:
    """Show it soon; of the same `cause` once."""
    await enqueue(session, NewEvent(kind=NOTICE, payload=asdict(notice), tenant=tenant, dedupe_key=f"{NOTICE}:{cause}"))
