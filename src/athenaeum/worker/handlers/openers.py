"""Questions to begin with, in the direct message that somebody opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations.openers import Talk
from athenaeum.errors import Discard, Refused
from athenaeum.slack.errors import MissingScope
from athenaeum.worker.handlers.client import client_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.agent.runner import Runner
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)


class OpenersHandler:
    """Handles `openers`. Offered twice they are the same."""

    def __init__(self, agent: Runner, slack: Mapping[TenantId, SlackClient]) -> None:
        """`slack` holds the client of each connected workspace and may grow later."""
        self._agent = agent
        self._slack = slack

    async def handle(self, event: Event) -> None:
        """Offer them, where the app is one that Slack lets do it."""
        client = client_of(self._slack, event.tenant)
        try:
            talk = Talk(**event.payload)
        except TypeError as error:
            raise Refused('the payload of openers is {"channel": id, "user": id}') from error
        questions = await self._agent.openers(event.tenant, talk.user)
        try:
            await client.suggest(talk.channel, questions)
        except (MissingScope, Refused) as error:  # the app is no agent
            raise Discard(f"no questions are offered: {error}") from error

    async def give_up(self, event: Event, error: Exception) -> None:
        """Nobody waits for them."""
        log.warning("openers.given_up", event_id=event.id, error=type(error).__name__)
