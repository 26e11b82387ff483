"""A question that was typed as a slash command gets a message in the direct message, and its turn hangs on that.

The turn is opened once, by compare-and-set, whoever posts: who loses deletes the message it made too many.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import structlog

from athenaeum.conversations import commands, notices
from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.errors import APOLOGY, Refused
from athenaeum.slack.errors import Ambiguous, Duplicate, MessageGone
from athenaeum.slack.formatting import render_typed
from athenaeum.slack.post import Post
from athenaeum.worker.handlers.client import client_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.conversations.commands import TypedQuestion
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.client import SlackClient

log = structlog.get_logger(__name__)

_METADATA = "athenaeum_command"
"""The `event_type` of our message's metadata; the payload is `{"command": id}`, an id of our own."""
_COMMANDS = UUID("0b6f6c0e-3f1e-5b0a-8f39-5d6f3f4c9f0e")


class CommandHandler:
    """Handles `command`."""

    def __init__(self, database: DatabaseConnection, slack: Mapping[TenantId, SlackClient]) -> None:
        """`slack` holds the client of each connected workspace and may grow later."""
        self._database = database
        self._slack = slack

    async def handle(self, event: Event) -> None:
        """Make sure of the message and of the turn."""
        typed = await self._look(event)
        if typed is None or typed.turn is not None:
            return
        client = client_of(self._slack, event.tenant)
        place = await client.open_direct(typed.user)
        mark = uuid5(_COMMANDS, f"{event.tenant}:{typed.id}")
        ts = await self._find(client, place, mark, typed) if event.attempt > 1 else None
        ts = ts or await self._post(client, place, mark, typed)
        async with self._database.session(event.tenant) as session:
            won = await commands.settle(session, event.tenant, typed, place=place, ts=ts)
            counts = await commands.hung_on(session, typed.id)
        if not won and counts != ts:
            log.warning("command.post_withdrawn", command=str(mark))
            with suppress(MessageGone):
                await client.delete_message(place, ts)

    async def give_up(self, event: Event, error: Exception) -> None:
        """Tell the asker where they typed it, if the bot is there."""
        log.warning("command.given_up", event_id=event.id, error=type(error).__name__)
        typed = await self._look(event)
        if typed is None or typed.turn is not None:
            return
        async with self._database.session(event.tenant) as session:
            notice = notices.Notice(typed.typed_in, typed.user, APOLOGY, None)
            await notices.enqueue_notice(session, event.tenant, notice, cause=f"{event.kind}:{typed.id}")

    async def _look(self, event: Event) -> TypedQuestion | None:
        command = event.payload.get("command")
        if not isinstance(command, str):
            raise Refused(f'the payload of {event.kind} is {{"command": its id}}')
        async with self._database.session(event.tenant) as session:
            return await commands.look(session, command)

    async def _post(self, client: SlackClient, place: ChannelId, mark: UUID, typed: TypedQuestion) -> MessageTs:
        shown = render_typed(typed.question)
        metadata = {"event_type": _METADATA, "event_payload": {"command": str(mark)}}
        post = Post(place, None, shown.text, shown.blocks, client_msg_id=mark, metadata=metadata)
        try:
            return await client.post_message(post)
        except (Ambiguous, Duplicate):
            if found := await self._find(client, place, mark, typed):
                return found
            raise

    async def _find(self, client: SlackClient, place: ChannelId, mark: UUID, typed: TypedQuestion) -> MessageTs | None:
        """Our message, as another attempt has left it."""
        since = MessageTs(f"{typed.asked_at.timestamp() - 60:.6f}")  # clocks may differ
        async for message in client.history(place, after=since, metadata=True):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == _METADATA and metadata["event_payload"].get("command") == str(mark):
                return MessageTs(message["ts"])
        return None
