"""chat.*: what the app says."""

from __future__ import annotations

from dataclasses import dataclass

from slacksim import objects
from slacksim.api.call import Call, Method
from slacksim.blocks import MAX_MARKDOWN, check
from slacksim.errors import SlackError
from slacksim.model import Channel, Ephemeral, JsonObject, Message

MAX_TEXT = 40_000
MAX_UPDATE_TEXT = 4_000
MAX_ATTACHMENTS = 100


@dataclass(frozen=True, slots=True)
class Content:
    """What a call wants to be shown; None where the call says nothing."""

    text: str
    blocks: list[JsonObject] | None
    attachments: list[JsonObject] | None
    metadata: JsonObject | None

    @property
    def is_empty(self) -> bool:
        return not self.text and not self.blocks and not self.attachments


def _content(call: Call) -> Content:
    arguments = call.arguments
    text = arguments.text("text")
    blocks = arguments.objects("blocks", "invalid_blocks_format")
    attachments = arguments.objects("attachments", "invalid_attachments")
    if len(attachments or ()) > MAX_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    if markdown := arguments.text("markdown_text"):
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        if len(markdown) > MAX_MARKDOWN:
            raise SlackError("msg_too_long")
        text, blocks = markdown, [{"type": "markdown", "text": markdown}]
    if blocks:
        check(blocks)
        blocks = [{**block, "block_id": block.get("block_id") or f"b{i}"} for i, block in enumerate(blocks)]
    return Content(text, blocks, attachments, call.metadata())


def _destination(call: Call) -> Channel:
    """The conversation to post in; a user's id means the direct message with that person."""
    reference = call.arguments.text("channel")
    if reference in call.world.users and reference != call.app.user_id:
        return call.world.open_direct([call.app.user_id, reference])[0]
    if not reference:
        raise SlackError("channel_not_found")
    channel = call.joined()
    if channel.is_archived:
        raise SlackError("is_archived")
    return channel


def _thread(call: Call, channel: Channel) -> str | None:
    """The parent's ts; a reply's own ts leads to its parent."""
    ts = call.arguments.text("thread_ts")
    if not ts:
        return None
    parent = channel.messages.get(ts)
    if parent is None:
        raise SlackError("thread_not_found")
    return parent.thread_ts or parent.ts


def _repeated(call: Call) -> Message | None:
    """The message that an earlier call with the same client_msg_id posted."""
    client_msg_id = call.arguments.text("client_msg_id")
    posted = call.world.state.client_messages.get(client_msg_id)
    if posted is None or not call.faults.client_msg_ids_count:
        return None
    channel_id, ts = posted
    message = call.world.channels[channel_id].messages.get(ts)
    if message is None:
        raise SlackError("duplicate_message_not_found")
    return message


def _posted(channel: Channel, message: Message) -> JsonObject:
    shown = objects.message(channel, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def post(call: Call) -> JsonObject:
    channel = _destination(call)
    content = _content(call)
    if content.is_empty:
        raise SlackError("no_text")
    thread_ts = _thread(call, channel)
    if repeated := _repeated(call):
        return _posted(call.world.channels[repeated.channel], repeated)
    arguments = call.arguments
    broadcast = thread_ts is not None and arguments.flag("reply_broadcast")
    message = Message(
        ts=call.world.timestamps.next(),
        channel=channel.id,
        user=call.app.user_id,
        text=content.text[:MAX_TEXT],
        blocks=content.blocks or [],
        attachments=content.attachments or [],
        thread_ts=thread_ts,
        subtype="thread_broadcast" if broadcast else None,
        bot_id=call.app.bot_id,
        app_id=call.app.id,
        team=call.world.team.id,
        username=arguments.text("username") or None,
        client_msg_id=arguments.text("client_msg_id") or None,
        metadata=content.metadata,
        unfurls=arguments.flag("unfurl_links") or arguments.flag("unfurl_media", default=True),
    )
    if message.client_msg_id:
        call.world.state.client_messages[message.client_msg_id] = (channel.id, message.ts)
    return _posted(channel, call.world.post(message))


def update(call: Call) -> JsonObject:
    """What the call doesn't give stays as it is; empty blocks or attachments remove them."""
    channel = call.joined()
    message = call.message(channel)
    if message.bot_id != call.app.bot_id:
        raise SlackError("cant_update_message")
    if channel.is_archived:
        raise SlackError("is_archived")
    if call.world.is_live(message):
        raise SlackError("streaming_state_conflict")
    content = _content(call)
    if content.is_empty and content.blocks is None and content.attachments is None:
        raise SlackError("no_text")
    if len(content.text) > MAX_UPDATE_TEXT and not call.arguments.text("markdown_text"):
        raise SlackError("msg_too_long")
    given = {
        "text": content.text or None,
        "blocks": content.blocks,
        "attachments": content.attachments,
        "metadata": content.metadata,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    call.world.edit(message, by=call.app.user_id, **changed)
    shown = objects.message(channel, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(call: Call) -> JsonObject:
    channel = call.joined()
    message = call.message(channel)
    if message.bot_id != call.app.bot_id:
        raise SlackError("cant_delete_message")
    if call.world.is_live(message):
        raise SlackError("streaming_state_conflict")
    call.world.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def whisper(call: Call) -> JsonObject:
    channel = call.joined()
    if channel.is_archived:
        raise SlackError("is_archived")
    user = call.arguments.required("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    content = _content(call)
    if content.is_empty:
        raise SlackError("no_text")
    ts = call.world.timestamps.next()
    call.world.whisper(Ephemeral(ts, channel.id, user, content.text, content.blocks or [], _thread(call, channel)))
    return {"message_ts": ts}


def permalink(call: Call) -> JsonObject:
    channel = call.channel()
    message = call.message(channel, "message_ts")
    return {"channel": channel.id, "permalink": address(call.url, message)}


def address(url: str, message: Message) -> str:
    """Where a browser opens the message."""
    link = f"{url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
    if message.thread_ts is None:
        return link
    return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}"


METHODS = (
    Method("chat.postMessage", post, "chat:write"),
    Method("chat.update", update, "chat:write"),
    Method("chat.delete", delete, "chat:write"),
    Method("chat.postEphemeral", whisper, "chat:write", tier=4),
    Method("chat.getPermalink", permalink, tier=4),
)
