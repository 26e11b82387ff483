"""The workspace's state and everything that can happen to it. It asks no permission: callers do."""

from __future__ import annotations

import copy
import time
from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

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
from slacksim.ids import stable_id
from slacksim.model import App, Channel, Ephemeral, File, Kind, Message, Streaming, Team, User
from slacksim.timestamps import Timestamps

TOMBSTONE_TEXT = "This message was deleted."


@dataclass(slots=True)
class State:
    """All that a reset puts back."""

    app: App
    users: dict[str, User] = field(default_factory=dict[str, User])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    files: dict[str, File] = field(default_factory=dict[str, File])
    ephemerals: list[Ephemeral] = field(default_factory=list[Ephemeral])
    client_messages: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    statuses: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    suggestions: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    streams: dict[tuple[str, str], Streaming] = field(default_factory=dict[tuple[str, str], Streaming])


class World:
    """One workspace with one app in it.

    Args:
        team: The workspace.
        app: The app; its bot user is added as a member of the workspace.

    Attributes:
        url: Of the server that shows it, once there is one.
    """

    def __init__(self, team: Team, app: App) -> None:
        self.team = team
        self.url = ""
        self.timestamps = Timestamps()
        self.stream_seconds = 300.0
        self.state = State(app=app)
        self._listeners: list[Callable[[Change], None]] = []
        self.add_bot()

    @property
    def app(self) -> App:
        return self.state.app

    @property
    def users(self) -> dict[str, User]:
        return self.state.users

    @property
    def channels(self) -> dict[str, Channel]:
        return self.state.channels

    def listen(self, listener: Callable[[Change], None]) -> None:
        self._listeners.append(listener)

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)

    def snapshot(self) -> State:
        return copy.deepcopy(self.state)

    def restore(self, snapshot: State) -> None:
        self.state = copy.deepcopy(snapshot)

    # People

    def add_bot(self) -> User:
        app = self.app
        user = User(app.user_id, name=app.name, real_name=app.name.capitalize(), is_bot=True, bot_id=app.bot_id)
        return self.add_user(user)

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        return user

    def find_user(self, reference: str) -> User | None:
        """The user of an id, or of a name with or without ``@``."""
        if reference in self.users:
            return self.users[reference]
        name = reference.removeprefix("@")
        return next((user for user in self.users.values() if user.name == name), None)

    # Conversations

    def find_channel(self, reference: str) -> Channel | None:
        """The conversation of an id, or of a channel name with or without ``#``."""
        if reference in self.channels:
            return self.channels[reference]
        name = reference.removeprefix("#")
        named = (c for c in self.channels.values() if c.kind in {Kind.PUBLIC, Kind.PRIVATE})
        return next((channel for channel in named if channel.name == name), None)

    def may_read(self, user_id: str, channel: Channel) -> bool:
        """Members read; so does everyone who is no guest, in a public channel."""
        if user_id in channel.members:
            return True
        user = self.users.get(user_id)
        return channel.kind is Kind.PUBLIC and user is not None and not user.is_guest

    def add_channel(self, channel: Channel) -> Channel:
        self.channels[channel.id] = channel
        return channel

    def create_channel(self, name: str, creator: str, *, members: Iterable[str], private: bool) -> Channel:
        now = self.timestamps.next()
        channel = Channel(
            id=stable_id("C", self.team.id, name),
            name=name,
            kind=Kind.PRIVATE if private else Kind.PUBLIC,
            creator=creator,
            created=int(float(now)),
            members=list(dict.fromkeys([creator, *members])),
        )
        self.add_channel(channel)
        self._tell(ChannelTouched(channel, "channel_created", creator, now))
        for member in channel.members:
            self._tell(Joined(channel, member, creator, self.timestamps.next()))
        return channel

    def open_direct(self, members: Iterable[str]) -> tuple[Channel, bool]:
        """The direct message between these people, and whether it was there already."""
        people = sorted(set(members))
        kind = Kind.IM if len(people) <= 2 else Kind.MPIM
        channel_id = stable_id("D" if kind is Kind.IM else "G", self.team.id, *people)
        if channel_id in self.channels:
            return self.channels[channel_id], True
        now = self.timestamps.next()
        names = "--".join(self.users[user].name for user in people)
        name = "" if kind is Kind.IM else f"mpdm-{names}-1"
        channel = self.add_channel(
            Channel(channel_id, name, kind, creator=people[0], created=int(float(now)), members=people)
        )
        self._tell(ChannelTouched(channel, "im_created" if kind is Kind.IM else "mpim_open", people[0], now))
        return channel, False

    def join(self, channel: Channel, user: str, *, inviter: str | None = None) -> None:
        if user in channel.members:
            return
        channel.members.append(user)
        text = f"<@{user}> has joined the channel"
        if channel.kind in {Kind.PUBLIC, Kind.PRIVATE}:
            ts = self.timestamps.next()
            subtype = "channel_join" if channel.kind is Kind.PUBLIC else "group_join"
            self.post(Message(ts, channel.id, user, text, subtype=subtype, inviter=inviter))
        self._tell(Joined(channel, user, inviter, self.timestamps.next()))

    def leave(self, channel: Channel, user: str) -> None:
        if user in channel.members:
            channel.members.remove(user)
            self._tell(Left(channel, user, self.timestamps.next()))

    def set_archived(self, channel: Channel, user: str, *, archived: bool) -> None:
        channel.is_archived = archived
        what = "channel_archive" if archived else "channel_unarchive"
        self._tell(ChannelTouched(channel, what, user, self.timestamps.next()))

    # Messages

    def post(self, message: Message) -> Message:
        channel = self.channels[message.channel]
        channel.messages[message.ts] = message
        if message.is_in_timeline:
            insort(channel.timeline, message.ts)
        if message.thread_ts is not None:
            insort(channel.threads.setdefault(message.thread_ts, []), message.ts)
            if message.bot_id == self.app.bot_id:
                self.set_status(channel, message.thread_ts, "")
        self._tell(Posted(channel, message))
        return message

    def edit(self, message: Message, *, by: str, **content: Any) -> str:
        """Replaces fields of a message and returns the ts of the edit."""
        channel = self.channels[message.channel]
        previous = objects.message(channel, message, with_metadata=True)
        for name, value in content.items():
            setattr(message, name, value)
        event_ts = self.timestamps.next()
        message.edited = {"user": by, "ts": event_ts}
        self._tell(Edited(channel, message, previous, event_ts))
        return event_ts

    def delete(self, message: Message) -> None:
        """Removes a message. A parent with replies leaves a tombstone, which Slack reports as a change."""
        channel = self.channels[message.channel]
        previous = objects.message(channel, message, with_metadata=True)
        event_ts = self.timestamps.next()
        if channel.threads.get(message.ts):
            channel.messages[message.ts] = Message(
                message.ts, channel.id, "USLACKBOT", TOMBSTONE_TEXT, subtype="tombstone", unfurls=False
            )
            self._tell(Edited(channel, channel.messages[message.ts], previous, event_ts))
            return
        del channel.messages[message.ts]
        if message.is_in_timeline:
            channel.timeline.remove(message.ts)
        if message.thread_ts is not None:
            channel.threads[message.thread_ts].remove(message.ts)
        self._tell(Deleted(channel, message.ts, previous, event_ts))

    # Messages that grow

    def begin_stream(self, message: Message, streaming: Streaming) -> None:
        self.state.streams[message.channel, message.ts] = streaming
        self.post(message)

    def streaming(self, message: Message) -> Streaming | None:
        """How the message grows, or grew; None for one that never did."""
        return self.state.streams.get((message.channel, message.ts))

    def is_live(self, message: Message) -> bool:
        """Whether the message may still grow, and until then change in no other way."""
        streaming = self.streaming(message)
        if streaming is None or streaming.ended or streaming.stopped_by:
            return False
        return time.monotonic() - streaming.started < self.stream_seconds

    def grow(self, message: Message, **content: Any) -> None:
        for name, value in content.items():
            setattr(message, name, value)
        self._tell(Grew(self.channels[message.channel], message))

    def end_stream(self, message: Message, **content: Any) -> None:
        self.state.streams[message.channel, message.ts].ended = True
        self.edit(message, by=self.app.user_id, **content)

    def stop_session(self, channel: Channel, thread_ts: str, *, user: str) -> list[str]:
        """Slack's own Stop button: ends the thread's streams and tells the app, whose status stays as it is."""
        replies = [channel.messages[ts] for ts in channel.threads.get(thread_ts, [])]
        live = [message for message in replies if self.is_live(message)]
        for message in live:
            self.state.streams[channel.id, message.ts].stopped_by = user
        stopped = tuple(message.ts for message in live)
        self._tell(SessionStopped(channel, thread_ts, user, stopped, self.timestamps.next()))
        return list(stopped)

    def react(self, message: Message, *, user: str, name: str, added: bool) -> bool:
        """Adds or removes a reaction; False when there was nothing to do."""
        people = message.reactions.setdefault(name, [])
        if (user in people) is added:
            if not people:
                del message.reactions[name]
            return False
        if added:
            people.append(user)
        else:
            people.remove(user)
            if not people:
                del message.reactions[name]
        channel = self.channels[message.channel]
        self._tell(Reacted(channel, message, user, name, added, self.timestamps.next()))
        return True

    def whisper(self, ephemeral: Ephemeral) -> None:
        self.state.ephemerals.append(ephemeral)
        self._tell(Whispered(self.channels[ephemeral.channel], ephemeral))

    def set_status(self, channel: Channel, thread_ts: str, status: str, loading_messages: tuple[str, ...] = ()) -> None:
        """Sets the app's status line in a thread; empty removes it. Slack clears it when the app posts."""
        key = (channel.id, thread_ts)
        if not status and key not in self.state.statuses:
            return
        if status:
            self.state.statuses[key] = status
        else:
            del self.state.statuses[key]
        self._tell(StatusSet(channel, thread_ts, status, loading_messages))

    def suggest(self, channel: Channel, questions: tuple[str, ...]) -> None:
        """Offers questions to begin with."""
        self.state.suggestions[channel.id] = questions
        self._tell(Suggested(channel, questions))
