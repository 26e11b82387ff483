"""One turn's thread in Slack, as the holder of a fencing token reaches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from athenaeum.conversations import turns
from athenaeum.domain.identity import MessageTs, client_msg_id
from athenaeum.slack.chunks import task
from athenaeum.slack.errors import CallRefused, MessageGone, RateLimited, StreamRunning, ambiguous, failure
from athenaeum.slack.post import Post
from athenaeum.worker.delivery import document

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.conversations.turns import Turn
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import LeaseToken
    from athenaeum.slack.client import SlackClient
    from athenaeum.worker.delivery.content import Content
    from athenaeum.worker.delivery.timing import Timing

log = structlog.get_logger(__name__)

METADATA = "athenaeum_turn"
"""The `event_type` of our messages' metadata; the payload is `{"turn": id, "part": n, "generation": g}`."""
_BEHIND = 3600
"""Seconds, at most, that Slack's clock is behind the database's."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Our metadata on a message that stands in the thread."""

    ts: MessageTs
    part: int
    generation: int


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a turn is shown, and under which token; token 0 is that of a turn nobody has taken."""

    database: DatabaseConnection
    slack: SlackClient
    turn: Turn
    token: LeaseToken
    timing: Timing
    allowed_hosts: frozenset[str] = frozenset()
    """Hosts whose links stay links, beside those of citations."""

    def session(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session of the turn's tenant."""
        return self.database.session(self.turn.tenant)

    async def check(self) -> None:
        """Raise LeaseLost unless the token still holds the turn."""
        async with self.session() as session:
            await turns.check(session, self.turn.id, self.token)

    def mark(self, part: int, generation: int) -> str:
        """What a stream is known by: it has no metadata, but tasks with names."""
        return f"{self.turn.id}/{part}/{generation}"

    async def post(self, content: Content, *, part: int, generation: int) -> MessageTs:
        """Post one part, recognisable to Slack by its id and to us by its metadata; a stream by its task alone."""
        if content.file is not None:
            return await self._share(content.file, content.text)
        if content.stream_to is not None:
            return await self._start(content.text, content.stream_to, self.mark(part, generation))
        payload = {"turn": str(self.turn.id), "part": part, "generation": generation}
        return await self.slack.post_message(
            Post(
                channel=self.turn.channel,
                thread_ts=None if self.turn.stands_alone else self.turn.thread_ts,
                text=content.text,
                blocks=content.blocks,
                client_msg_id=client_msg_id(self.turn.id, part, generation),
                metadata={"event_type": METADATA, "event_payload": payload},
            )
        )

    async def update(self, ts: MessageTs, content: Content) -> None:
        """Make a message show this content, and grow no more."""
        await self._settled(
            ts, lambda: self.slack.update_message(self.turn.channel, ts, text=content.text, blocks=content.blocks)
        )

    async def remove(self, ts: MessageTs) -> None:
        """Delete a message of ours; one that is gone already, or that Slack won't let go, is no error."""
        try:
            await self._delete(ts)
        except MessageGone:
            pass
        except CallRefused as error:  # where compliance exports are on, nothing is ever deleted
            log.warning("delivery.not_removed", turn_id=str(self.turn.id), error=error.code)

    async def take_away(self, ts: MessageTs, tombstone: Content) -> None:
        """Delete a message of ours, or, where Slack won't, overwrite it."""
        try:
            await self._delete(ts)
        except (MessageGone, CallRefused) as error:
            if error.code == "message_not_found":
                return
            try:
                await self.update(ts, tombstone)
            except MessageGone as gone:  # nor may we edit it any more
                log.warning("delivery.not_removed", turn_id=str(self.turn.id), error=gone.code)

    async def marks(self) -> AsyncIterator[Mark]:
        """Our messages of this turn, oldest first."""
        async for message in self._alone() if self.turn.stands_alone else self._replies():
            metadata: dict[str, Any] = message.get("metadata") or {}
            payload: dict[str, Any] = metadata.get("event_payload") or {}
            if metadata.get("event_type") == METADATA and payload.get("turn") == str(self.turn.id):
                yield Mark(MessageTs(message["ts"]), int(payload.get("part", 0)), int(payload.get("generation", 0)))
            elif document.find(message, self.turn.id):
                yield Mark(MessageTs(message["ts"]), document.PART, 0)
            elif found := self._streamed(message):
                yield found

    async def upload(self, content: str) -> str:
        """Bring the whole answer to Slack, where nobody sees it until it is shared; gives its id."""
        return await self.slack.upload(document.name(self.turn.id), content.encode())

    async def discard(self) -> None:
        """Delete the whole answer, with the message that brought it."""
        messages = self._alone() if self.turn.stands_alone else self._replies()
        for file in [file async for message in messages if (file := document.find(message, self.turn.id))]:
            try:
                await self.slack.delete_file(file)
            except CallRefused as error:
                log.warning("delivery.not_removed", turn_id=str(self.turn.id), error=error.code)

    async def _share(self, file: str, title: str) -> MessageTs:
        """Slack does not tell the message that it makes: it is looked for, as after any attempt in doubt."""
        place = None if self.turn.stands_alone else self.turn.thread_ts
        await self.slack.share(file, self.turn.channel, title=title, thread_ts=place)
        async for mark in self.marks():
            if mark.part == document.PART:
                return mark.ts
        raise ambiguous("files.completeUploadExternal", "not_seen")

    def _streamed(self, message: dict[str, Any]) -> Mark | None:
        """A message of ours that grows, or grew and never became anything else."""
        blocks: list[dict[str, Any]] = message.get("blocks") or []
        for card in (card for block in blocks for card in (block, *(block.get("tasks") or ()))):
            turn, *numbers = str(card.get("task_id") or "").split("/")
            if turn == str(self.turn.id) and len(numbers) > 1:
                return Mark(MessageTs(message["ts"]), int(numbers[0]), int(numbers[1]))
        return None

    async def _start(self, task_title: str, team: str, mark: str) -> MessageTs:
        turn = self.turn
        begun = [task(mark, task_title, done=False)]
        try:
            return await self.slack.start_stream(
                turn.channel, turn.thread_ts, chunks=begun, reader=turn.asker, team=team
            )
        except RateLimited as error:  # a stream is not worth waiting for
            raise failure(error.method, error.code) from error

    async def _delete(self, ts: MessageTs) -> None:
        await self._settled(ts, lambda: self.slack.delete_message(self.turn.channel, ts))

    async def _settled(self, ts: MessageTs, change: Callable[[], Awaitable[None]]) -> None:
        try:
            await change()
        except StreamRunning:
            await self.slack.stop_stream(self.turn.channel, ts)
            await change()

    def _replies(self) -> AsyncIterator[dict[str, Any]]:
        turn = self.turn
        after = turn.message_ts if turn.summons is None else _earlier(turn.message_ts)
        return self.slack.replies(turn.channel, turn.thread_ts, after=after, metadata=True)

    async def _alone(self) -> AsyncIterator[dict[str, Any]]:
        said = self.slack.history(self.turn.channel, after=_earlier(self.turn.message_ts), metadata=True)
        for message in reversed([message async for message in said]):
            yield message


def _earlier(due: MessageTs) -> MessageTs:
    """Where to begin to look for what was posted when a time had come by our clock: Slack's may be behind it."""
    return MessageTs(f"{int(due.partition('.')[0]) - _BEHIND}.000000")
