"""The Web API for agents: messages that grow, and signs that one is at work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

from athenaeum.domain.identity import MessageTs
from athenaeum.slack.errors import StreamEnded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from athenaeum.domain.identity import ChannelId, UserId
    from athenaeum.slack.chunks import Chunk

_MAX_QUESTIONS = 4
SessionStatus = Literal["active", "processing"]


class AgentCalls(ABC):
    """These calls of a `SlackClient`; one attempt each."""

    @abstractmethod
    async def _call(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]: ...

    async def start_stream(
        self, channel: ChannelId, thread_ts: MessageTs, *, chunks: Sequence[Chunk], reader: UserId, team: str
    ) -> MessageTs:
        """Post a message that grows, live for one reader; Slack takes no id by which it would know a second one."""
        place = {"channel": channel, "thread_ts": thread_ts, "recipient_user_id": reader, "recipient_team_id": team}
        return MessageTs(str((await self._call("chat.startStream", {**place, "chunks": list(chunks)}))["ts"]))

    async def append_stream(self, channel: ChannelId, ts: MessageTs, chunks: Sequence[Chunk]) -> None:
        """Let a message grow; `StreamEnded` when it no longer does."""
        await self._call("chat.appendStream", {"channel": channel, "ts": ts, "chunks": list(chunks)})

    async def stop_stream(self, channel: ChannelId, ts: MessageTs) -> None:
        """Let a message grow no more; that it did not grow is no error."""
        with suppress(StreamEnded):
            await self._call("chat.stopStream", {"channel": channel, "ts": ts})

    async def set_session(self, channel: ChannelId, thread_ts: MessageTs, status: SessionStatus) -> None:
        """Slack's own sign that an agent works in a thread, with its Stop button; for apps that are agents."""
        place = {"channel_id": channel, "thread_ts": thread_ts}
        await self._call("agents.sessions.setStatus", {**place, "status": status})

    async def suggest(self, channel: ChannelId, questions: Sequence[str]) -> None:
        """Offer up to four questions in the direct message with an app that is an agent; safe to repeat."""
        prompts = [{"title": question, "message": question} for question in questions[:_MAX_QUESTIONS]]
        # a thread is for apps of the older kind: named here, Slack says yes and shows nothing
        await self._call("assistant.threads.setSuggestedPrompts", {"channel_id": channel, "prompts": prompts})

    async def set_status(self, channel: ChannelId, thread_ts: MessageTs, status: str) -> None:
        """The line below a thread that says what the app does; Slack takes it away with the app's next message."""
        place = {"channel_id": channel, "thread_ts": thread_ts}
        await self._call("assistant.threads.setStatus", {**place, "status": status})
