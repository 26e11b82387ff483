"""Clicks on Approve and Deny: decided in the transaction that takes them in; who may not decide is told why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import notices, turns
from athenaeum.conversations.turns import Ruling

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.tenant import Tenant
    from athenaeum.gateway.changes import Clicked

log = structlog.get_logger(__name__)

_SENTENCES = {
    Ruling.NOT_YOURS: "Only <@{asker}> can decide this: they asked me for it.",
    Ruling.DECIDED: "You have decided this already. Your second click changed nothing.",
    Ruling.EXPIRED: "It is too late for this: I no longer wait, and I did not do it. Ask me again if you want it.",
    Ruling.OVER: "I do not ask for this any more. Your click changed nothing.",
}


async def take_click(session: AsyncSession, tenant: Tenant, click: Clicked, *, cause: str) -> None:
    """Decide, and let the turn go on, when the commit makes both true; else tell the one who clicked why not."""
    ruling, turn = await turns.decide(
        session, click.approval, user=click.user, channel=click.channel, approved=click.approved
    )
    log.info("approval.clicked", approval=str(click.approval), approved=click.approved, ruling=ruling.value)
    if ruling is Ruling.TAKEN:
        return
    sentence = _SENTENCES[ruling].format(asker=turn.asker if turn else "")
    notice = notices.Notice(click.channel, click.user, sentence, click.thread_ts)
    await notices.enqueue_notice(session, tenant.id, notice, cause=f"{click.approval}:{cause}")
