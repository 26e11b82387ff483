"""What a person does in the workspace, with the rights that this person has."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from slacksim import blocks, files, objects, rich_text
from slacksim.errors import SlackError
from slacksim.ids import stable_id
from slacksim.model import Channel, Ephemeral, File, JsonObject, Message, User
from slacksim.world import World

MAX_TEXT = 40_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody acting in the workspace.

    Conversations may be named by id or by name; a user's id means the direct message with that user.
    """

    world: World
    user: User

    @classmethod
    def named(cls, world: World, reference: str) -> Person:
        user = world.find_user(reference)
        if user is None:
            raise SlackError("user_not_found", status=404)
        if user.id == world.app.user_id:
            raise SlackError("user_is_the_app", status=400)
        return cls(world, user)

    def channel(self, reference: str) -> Channel:
        """A conversation that this person may read."""
        channel = self.world.find_channel(reference)
        if channel is None and (other := self.world.find_user(reference)):
            return self.world.open_direct([self.user.id, other.id])[0]
        if channel is None or not self.world.may_read(self.user.id, channel):
            raise SlackError("channel_not_found", status=403 if channel else 404)
        return channel

    def _writable(self, reference: str) -> Channel:
        channel = self.channel(reference)
        if self.user.id not in channel.members:
            raise SlackError("not_in_channel", status=403)
        if channel.is_archived:
            raise SlackError("is_archived", status=400)
        return channel

    def upload(self, name: str, content: bytes, *, mimetype: str = "", is_sparse: bool = False) -> File:
        """A file that is shared with nobody yet."""
        file = files.begin(self.world, self.user.id, name, size=len(content))
        file.is_sparse = is_sparse
        files.fill(file, content, mimetype)
        return file

    def say(self, channel: str, text: str, *, thread_ts: str | None = None, files: Sequence[File] = ()) -> Message:
        place = self._writable(channel)
        if not text.strip() and not files:
            raise SlackError("no_text", status=400)
        parent = place.messages.get(thread_ts) if thread_ts else None
        if thread_ts and parent is None:
            raise SlackError("thread_not_found", status=404)
        stored = rich_text.stored(text)[:MAX_TEXT]
        message = Message(
            ts=self.world.timestamps.next(),
            channel=place.id,
            user=self.user.id,
            text=stored,
            thread_ts=(parent.thread_ts or parent.ts) if parent else None,
            team=self.world.team.id,
            bot_id=self.user.bot_id,
            client_msg_id=None if self.user.is_bot else str(uuid.uuid4()),
            files=list(files),
            subtype="file_share" if files else None,
        )
        message.blocks = [rich_text.block(stored, _block_id(message.ts))] if stored else []
        return self.world.post(message)

    def _own(self, channel: str, ts: str, error: str) -> Message:
        message = self.message(channel, ts)
        if message.user != self.user.id:
            raise SlackError(error, status=403)
        return message

    def message(self, channel: str, ts: str) -> Message:
        message = self.channel(channel).messages.get(ts)
        if message is None or message.subtype == "tombstone":
            raise SlackError("message_not_found", status=404)
        return message

    def edit(self, channel: str, ts: str, text: str) -> Message:
        message = self._own(channel, ts, "cant_update_message")
        stored = rich_text.stored(text)[:MAX_TEXT]
        self.world.edit(message, by=self.user.id, text=stored, blocks=[rich_text.block(stored, _block_id(message.ts))])
        return message

    def delete(self, channel: str, ts: str) -> None:
        self.world.delete(self._own(channel, ts, "cant_delete_message"))

    def react(self, channel: str, ts: str, name: str, *, added: bool) -> None:
        message = self.message(channel, ts)
        if not self.world.react(message, user=self.user.id, name=name.strip(":"), added=added):
            raise SlackError("already_reacted" if added else "no_reaction", status=400)

    def stop(self, channel: str, thread_ts: str) -> list[str]:
        """Presses Slack's own Stop button in a thread; the streams that it ended."""
        return self.world.stop_session(self.channel(channel), thread_ts, user=self.user.id)

    def open_direct(self, others: Sequence[str]) -> Channel:
        people = [self.world.find_user(other) for other in others]
        if not people or None in people:
            raise SlackError("user_not_found", status=404)
        return self.world.open_direct([self.user.id, *(user.id for user in people if user)])[0]

    def create_channel(self, name: str, members: Sequence[str], *, private: bool) -> Channel:
        if self.world.find_channel(f"#{name}"):
            raise SlackError("name_taken", status=400)
        people = [self.world.find_user(member) for member in members]
        if None in people:
            raise SlackError("user_not_found", status=404)
        ids = [user.id for user in people if user]
        return self.world.create_channel(name, self.user.id, members=ids, private=private)

    def click(
        self, channel: str, ts: str, action_id: str, *, block_id: str | None = None, value: str | None = None
    ) -> JsonObject:
        """The block_actions payload of a click on an element of a message, without response_url and trigger_id."""
        place = self.channel(channel)
        aside = self._aside(ts)
        message = aside or self.message(channel, ts)
        action = self.action(message.blocks, action_id, block_id=block_id, value=value)
        container: JsonObject = {"type": "message", "message_ts": ts, "channel_id": place.id}
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        # of an ephemeral message Slack gives the place alone, not what it said
        shown = {} if aside else {"message": objects.message(place, self.message(channel, ts), with_metadata=True)}
        return self.interaction() | {
            "type": "block_actions",
            "container": container | {"is_ephemeral": aside is not None},
            "channel": {"id": place.id, "name": place.name or "directmessage"},
            **shown,
            "state": {"values": {}},
            "actions": [action],
        }

    def action(
        self, shown: Sequence[JsonObject], action_id: str, *, block_id: str | None = None, value: str | None = None
    ) -> JsonObject:
        """A click on one of the elements shown, as block_actions tells it."""
        found = next(
            (
                (block, element)
                for block, element in blocks.elements(list(shown))
                if element["action_id"] == action_id and block_id in {None, block.get("block_id")}
            ),
            None,
        )
        if found is None:
            raise SlackError("action_not_found", status=404)
        block, element = found
        action: JsonObject = {
            "type": element.get("type", "button"),
            "action_id": action_id,
            "block_id": block.get("block_id", ""),
            "action_ts": self.world.timestamps.next(),
        }
        if isinstance(element.get("text"), dict):
            action["text"] = element["text"]
        chosen = value if value is not None else _default_value(element)
        if chosen is not None:
            action["value"] = chosen
        return action

    def _aside(self, ts: str) -> Ephemeral | None:
        """What this person alone was shown."""
        whispered = self.world.state.ephemerals
        return next((aside for aside in whispered if aside.ts == ts and aside.user == self.user.id), None)

    def interaction(self) -> JsonObject:
        """Who does something, and where; what they do is still to be said, and the trigger_id to be given."""
        team = self.world.team
        name = self.user.name
        return {
            "user": {"id": self.user.id, "username": name, "name": name, "team_id": team.id},
            "api_app_id": self.world.app.id,
            "token": "unused",
            "team": {"id": team.id, "domain": team.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }


def _default_value(element: JsonObject) -> str | None:
    """The value of a button; that of the approving one where feedback buttons are two in one."""
    return element.get("value") or (element.get("positive_button") or {}).get("value")


def _block_id(ts: str) -> str:
    return stable_id("", ts)[:5]
