"""A message that one person alone sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations.notices import Notice
from athenaeum.errors import Discard, Refused
from athenaeum.slack.errors import Ambiguous
from athenaeum.worker.handlers.client import client_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)


class NoticeHandler:
    """Shows notices. Slack keeps none, so one whose response was lost is not shown again."""

    def __init__(self, slack: Mapping[TenantId, SlackClient]) -> None:
        """`slack` holds the client of each connected workspace and may grow later."""
        self._slack = slack

    async def handle(self, event: Event) -> None:
        """Show the notice once, or, when Slack is busy, later."""
        if not event.payload:
            raise Discard("the person it is for had their data deleted")
        client = client_of(self._slack, event.tenant)
        try:
            notice = Notice(**event.payload)
        except TypeError as error:
            raise Refused("the payload of a notice names its channel, user, text and thread_ts") from error
        try:
            await client.post_ephemeral(notice.channel, notice.user, notice.text, thread_ts=notice.thread_ts)
        except (Ambiguous, Refused) as error:  # it may have been shown, or never can be
            raise Discard(f"the notice goes untold: {error}") from error

    async def give_up(self, event: Event, error: Exception) -> None:
        """Nobody waits for it."""
        log.warning("notice.untold", event_id=event.id, error=type(error).__name__)
