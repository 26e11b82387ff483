"""What a person is told, and nobody else, whose question was not taken."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import turns
from athenaeum.errors import AthenaeumError, RetryLater
from athenaeum.observability.metrics import QUESTIONS_REFUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId, TurnId
    from athenaeum.domain.message import InboundMessage
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)

_PATIENCE = 1.5  # seconds; Slack waits three for the acknowledgement


@dataclass(frozen=True, slots=True)
class Refusal:
    """A question that was not taken, and why."""

    turn: TurnId
    speech: InboundMessage
    reason: RetryLater


class Refusals:
    """Tells askers before Slack's event is acknowledged: when we die in between, Slack sends it again.

    Not by way of the queue, which is what a flood of questions must not fill; and what Slack does not take is not
    repeated, for a flood of questions must not become one of calls either.
    """

    def __init__(self, database: DatabaseConnection, clients: Mapping[TenantId, SlackClient]) -> None:
        """`clients` may grow while it is used."""
        self._database = database
        self._clients = clients

    async def tell(self, tenant: TenantId, refusal: Refusal) -> None:
        """Show the reason's sentence to the asker, where the question stands."""
        QUESTIONS_REFUSED.inc()
        log.info("question.refused", turn=str(refusal.turn), channel=refusal.speech.channel, reason=str(refusal.reason))
        speech, client = refusal.speech, self._clients.get(tenant)
        if client is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                await client.post_ephemeral(
                    speech.channel, speech.sender, refusal.reason.user_text, thread_ts=speech.thread_ts
                )
        except (AthenaeumError, TimeoutError) as error:
            log.warning("question.refusal_untold", turn=str(refusal.turn), error=type(error).__name__)
            return
        async with self._database.session(tenant) as session:
            await turns.note_told(session, refusal.turn)
