"""Asking at once why an answer was of no help: a click gives leave for a modal for three seconds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from athenaeum.errors import AthenaeumError
from athenaeum.slack.formatting import reason_modal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from athenaeum.domain.identity import TenantId, TurnId
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)

_PATIENCE = 1.5  # seconds; Slack waits three for the acknowledgement


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Who is to be asked of which answer; `trigger` is Slack's leave to."""

    turn: TurnId
    trigger: str
    at: datetime
    reason: str | None
    """What they have said before."""


class Inquiries:
    """Asks before the click is acknowledged: what was clicked is committed by then, and a modal is a courtesy."""

    def __init__(self, clients: Mapping[TenantId, SlackClient]) -> None:
        """`clients` may grow while it is used."""
        self._clients = clients

    async def ask(self, tenant: TenantId, inquiry: Inquiry) -> None:
        """Put the modal before them; where Slack does not take it, nobody is asked."""
        client = self._clients.get(tenant)
        if client is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                await client.open_view(inquiry.trigger, reason_modal(inquiry.turn, inquiry.at, inquiry.reason))
        except (AthenaeumError, TimeoutError) as error:
            log.info("feedback.not_asked", turn=str(inquiry.turn), error=type(error).__name__)
