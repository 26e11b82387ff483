"""What the page follows: Server-Sent Events of what one person may read."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import web

from slacksim import objects
from slacksim.changes import (
    Change,
    ChannelTouched,
    Deleted,
    Edited,
    Grew,
    Joined,
    Left,
    Posted,
    Reacted,
    SessionStopped,
    StatusSet,
    Suggested,
    Whispered,
)
from slacksim.model import Channel, JsonObject, Message
from slacksim.world import World

KEEPALIVE_SECONDS = 15.0


@dataclass(slots=True, eq=False)
class Subscriber:
    """One open page. None ends its stream."""

    user: str
    waiting: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue[str | None])

    def tell(self, event: str, data: JsonObject) -> None:
        self.waiting.put_nowait(f"event: {event}\ndata: {json.dumps(data)}\n\n")


class Stream:
    """Tells every open page what its person may see."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._subscribers: list[Subscriber] = []
        world.listen(self._follow)

    async def serve(self, request: web.Request, user: str) -> web.StreamResponse:
        """Streams events until the client goes or the simulator stops."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        subscriber = Subscriber(user)
        subscriber.tell("hello", {"user": user})
        self._subscribers.append(subscriber)
        try:
            await _copy(subscriber, response)
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._subscribers.remove(subscriber)
        return response

    def reset(self) -> None:
        for subscriber in self._subscribers:
            subscriber.tell("reset", {"user": subscriber.user})

    def tell(self, user: str, event: str, data: JsonObject) -> None:
        """Tells the pages of one person something that is theirs alone."""
        for subscriber in self._subscribers:
            if subscriber.user == user:
                subscriber.tell(event, data)

    def close(self) -> None:
        for subscriber in self._subscribers:
            subscriber.waiting.put_nowait(None)

    def _follow(self, change: Change) -> None:
        if not self._subscribers:
            return
        events = _events(change)
        for subscriber in self._subscribers:
            if isinstance(change, Whispered):
                may_see = subscriber.user == change.ephemeral.user
            else:
                may_see = self._world.may_read(subscriber.user, change.channel) or (
                    isinstance(change, Left) and subscriber.user == change.user
                )
            if may_see:
                for event, data in events:
                    subscriber.tell(event, data)


async def _copy(subscriber: Subscriber, response: web.StreamResponse) -> None:
    while True:
        try:
            async with asyncio.timeout(KEEPALIVE_SECONDS):
                text = await subscriber.waiting.get()
        except TimeoutError:
            text = ": still here\n\n"
        if text is None:
            return
        await response.write(text.encode())


def shown_message(channel: Channel, message: Message) -> JsonObject:
    """A message as the control API and the stream show it: Slack's JSON with its channel."""
    return {"reply_count": 0, "reactions": [], "channel": channel.id} | objects.message(
        channel, message, with_metadata=True
    )


def _events(change: Change) -> list[tuple[str, JsonObject]]:
    """The stream's events of a change: names and data. A reply also changes its parent's reply count."""
    channel = change.channel
    if isinstance(change, Posted):
        events = [("message", {"message": shown_message(channel, change.message)})]
        parent = channel.messages.get(change.message.thread_ts or "")
        if parent is not None:
            events.append(("changed", {"message": shown_message(channel, parent)}))
    elif isinstance(change, SessionStopped):
        events = []
    else:
        events = [_event(change)]
    return [(name, {"channel": channel.id} | data) for name, data in events]


def _event(
    change: Edited | Grew | Deleted | Reacted | Whispered | StatusSet | Suggested | Joined | Left | ChannelTouched,
) -> tuple[str, JsonObject]:
    channel = change.channel
    event: str
    data: JsonObject
    match change:
        case Edited(_, message) | Grew(_, message):
            event, data = "changed", {"message": shown_message(channel, message)}
        case Deleted(_, ts, previous):
            event, data = "deleted", {"ts": ts, "message": {"ts": ts, "thread_ts": previous.get("thread_ts")}}
        case Reacted(_, message, user, name, is_added):
            event, data = "reaction", {"user": user, "name": name, "added": is_added, "ts": message.ts}
            data["message"] = shown_message(channel, message)
        case Whispered(_, ephemeral):
            event, data = "ephemeral", {"message": ephemeral.to_json()}
        case StatusSet(_, thread_ts, status, loading_messages):
            event, data = "status", {"thread_ts": thread_ts, "status": status}
            data["loading_messages"] = list(loading_messages)
        case Suggested(_, questions):
            event, data = "suggestions", {"suggestions": [{"text": text} for text in questions]}
        case Joined(_, user) | Left(_, user) | ChannelTouched(_, _, user):
            what = change.what if isinstance(change, ChannelTouched) else type(change).__name__.lower()
            event, data = "channel", {"what": what, "user": user, "members": list(channel.members)}
    return event, data
