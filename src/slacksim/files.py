"""Files of a workspace: begun, filled, shared in messages, deleted."""

from __future__ import annotations

import mimetypes
import uuid
from collections.abc import Iterator

from slacksim.errors import SlackError
from slacksim.model import Channel, File, Message
from slacksim.world import World


def begin(world: World, user: str, name: str, *, size: int) -> File:
    """A file that has a name and no content yet."""
    file_id = f"F{uuid.uuid4().hex[:10].upper()}"
    created = int(float(world.timestamps.next()))
    file = File(file_id, name, user, world.team.id, world.url, created, size=size)
    world.state.files[file_id] = file
    return file


def fill(file: File, content: bytes, mimetype: str = "") -> None:
    """Give a file its content; what it is in is guessed from its name unless it is said."""
    file.content, file.size = content, len(content)
    file.mimetype = mimetype or mimetypes.guess_type(file.name)[0] or "application/octet-stream"


def found(world: World, file_id: str) -> File:
    """The file of an id, unless it was deleted."""
    file = world.state.files.get(file_id)
    if file is None or file.is_deleted:
        raise SlackError("file_deleted" if file else "file_not_found")
    return file


def owned(world: World, file_id: str, user: str) -> File:
    """The same, when it is this person's and there to be shared."""
    file = found(world, file_id)
    if file.user != user or file.content is None:
        raise SlackError("file_not_found", status=404)
    return file


def shares(world: World, file: File) -> Iterator[tuple[Channel, Message]]:
    """Where a file stands."""
    for channel in world.channels.values():
        for message in channel.messages.values():
            if any(each.id == file.id for each in message.files):
                yield channel, message


def delete(world: World, file: File) -> None:
    """Take a file out of the workspace: messages that said nothing else go with it."""
    shared = list(shares(world, file))
    file.content, file.is_deleted = None, True
    for channel, message in shared:
        if message.text or len(message.files) > 1:
            world.edit(message, by=file.user, files=list(message.files))
        else:
            world.delete(channel.messages[message.ts])
