"""Private extras: an offer that the asker alone sees, and what they are shown when they accept it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import extras, turns
from athenaeum.domain.turn import Answer
from athenaeum.errors import Discard, Refused
from athenaeum.slack.errors import Ambiguous, ContentRefused
from athenaeum.slack.formatting import Rendered, render, render_offer
from athenaeum.worker.handlers.client import client_of
from athenaeum.worker.handlers.turn import turn_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.agent.extras import Extras
    from athenaeum.conversations.turns import Turn
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)

_LEAD = "Only you can see this. In places that not everyone here can read I found:"
_NOTHING = Answer("There is nothing to show any more: what I had found has changed, or you can no longer read it.")


class _Whispering:
    """What the two handlers share. Slack keeps no such message: one whose response was lost is not shown again."""

    def __init__(self, database: DatabaseConnection, found: Extras, slack: Mapping[TenantId, SlackClient]) -> None:
        """`slack` holds the client of each connected workspace and may grow later."""
        self._database = database
        self._extras = found
        self._slack = slack

    async def give_up(self, event: Event, error: Exception) -> None:
        """The answer stands without it."""
        log.warning("extras.given_up", event_id=event.id, kind=event.kind, error=type(error).__name__)

    async def _find(self, event: Event) -> tuple[Turn, Answer | None]:
        async with self._database.session(event.tenant) as session:
            turn = await extras.asked(session, turn_id_of(event))
            if turn is None:
                raise Discard("nobody waits for the answer any more")
            question = await turns.question(session, turn)
        return turn, await self._extras.find(question)

    async def _whisper(self, turn: Turn, shown: Rendered) -> None:
        client = client_of(self._slack, turn.tenant)
        try:
            try:
                await client.post_ephemeral(
                    turn.channel, turn.asker, shown.text, thread_ts=turn.thread_ts, blocks=shown.blocks
                )
            except ContentRefused:
                await client.post_ephemeral(turn.channel, turn.asker, shown.plain, thread_ts=turn.thread_ts)
        except (Ambiguous, Refused) as error:  # it may have been shown, or never can be
            raise Discard(f"the extras go untold: {error}") from error


class OfferHandler(_Whispering):
    """Handles `extras.offer`: tells the asker that there is more, of which nothing is said yet."""

    async def handle(self, event: Event) -> None:
        """Offer what is found, if anything is."""
        turn, found = await self._find(event)
        if found is not None:
            await self._whisper(turn, render_offer(turn.id, len(found.citations)))
            log.info("extras.offered", turn_id=str(turn.id))


class RevealHandler(_Whispering):
    """Handles `extras.reveal`: shows what the asker may read now, whatever it was when it was offered."""

    async def handle(self, event: Event) -> None:
        """Show it, or say that it is gone."""
        turn, found = await self._find(event)
        answer = _NOTHING if found is None else Answer(f"{_LEAD}\n\n{found.text}", found.citations)
        await self._whisper(turn, render(answer)[0])
        log.info("extras.shown", turn_id=str(turn.id))
