"""chat.startStream, appendStream and stopStream: a message that grows while it is written.

Slack ends a stream some 300 s after its start, whatever is appended meanwhile, and a person may end it before. While it
grows it can't be changed in any other way. What it consists of is seen in the thread like any message's blocks.
"""

from __future__ import annotations

from typing import Any, cast

from slacksim import objects
from slacksim.api.call import Call, Method
from slacksim.blocks import MAX_BLOCKS, MAX_MARKDOWN, check
from slacksim.errors import SlackError, explained
from slacksim.model import JsonObject, Kind, Message, Streaming

DISPLAY_MODES = ("timeline", "plan", "dense")
TASK_STATES = ("pending", "in_progress", "complete", "error")
MAX_TASK_FIELD = 256


def start(call: Call) -> JsonObject:
    channel = call.joined()
    if channel.is_archived:
        raise SlackError("is_archived")
    parent = channel.messages.get(call.arguments.required("thread_ts"))
    if parent is None:
        raise SlackError("thread_not_found")
    _recipient(call, in_channel=channel.kind is not Kind.IM)
    mode = call.arguments.text("task_display_mode") or "timeline"
    if mode not in DISPLAY_MODES:
        raise explained("invalid_arguments", f"task_display_mode is one of {', '.join(DISPLAY_MODES)}")
    streaming = Streaming(mode=mode)
    _append(streaming, _chunks(call))
    message = Message(
        ts=call.world.timestamps.next(),
        channel=channel.id,
        user=call.app.user_id,
        text=_text(streaming),
        blocks=_blocks(streaming),
        thread_ts=parent.thread_ts or parent.ts,
        bot_id=call.app.bot_id,
        app_id=call.app.id,
        team=call.world.team.id,
        unfurls=False,
    )
    call.world.begin_stream(message, streaming)
    return {"channel": channel.id, "ts": message.ts}


def append(call: Call) -> JsonObject:
    message, streaming = _live(call)
    chunks = _chunks(call)
    if not chunks:
        raise SlackError("no_text")
    _append(streaming, chunks)
    call.world.grow(message, text=_text(streaming), blocks=_blocks(streaming))
    return {"channel": message.channel, "ts": message.ts}


def stop(call: Call) -> JsonObject:
    message, streaming = _live(call)
    given = call.metadata()
    _append(streaming, _chunks(call))
    if below := call.arguments.objects("blocks", "invalid_blocks_format"):
        check(below)
        streaming.chunks.append({"type": "blocks", "blocks": below})
    call.world.end_stream(message, text=_text(streaming), blocks=_blocks(streaming), metadata=given or message.metadata)
    channel = call.world.channels[message.channel]
    shown = objects.message(channel, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def _recipient(call: Call, *, in_channel: bool) -> None:
    team, user = call.arguments.text("recipient_team_id"), call.arguments.text("recipient_user_id")
    if not in_channel and not team and not user:
        return
    if not team:
        raise SlackError("missing_recipient_team_id")
    if user not in call.world.users:
        raise SlackError("missing_recipient_user_id" if not user else "user_not_found")


def _live(call: Call) -> tuple[Message, Streaming]:
    channel = call.joined()
    message = call.message(channel)
    if message.bot_id != call.app.bot_id:
        raise SlackError("message_not_owned_by_app")
    streaming = call.world.streaming(message)
    if streaming is not None and streaming.stopped_by:
        raise SlackError("stopped_by_user")
    if streaming is None or not call.world.is_live(message):
        raise SlackError("message_not_in_streaming_state")
    return message, streaming


def _chunks(call: Call) -> list[JsonObject]:
    """What a call adds; text that is given as such is a chunk too."""
    chunks = call.arguments.objects("chunks", "invalid_chunks") or []
    if text := call.arguments.text("markdown_text"):
        if chunks:
            raise explained("invalid_arguments", "give markdown_text or chunks")
        chunks = [{"type": "markdown_text", "text": text}]
    for chunk in chunks:
        _check(chunk)
    return chunks


def _check(chunk: JsonObject) -> None:
    match chunk.get("type"):
        case "markdown_text":
            if len(str(chunk.get("text", ""))) > MAX_MARKDOWN:
                raise SlackError("msg_too_long")
        case "task_update":
            if not chunk.get("id") or not chunk.get("title") or chunk.get("status") not in TASK_STATES:
                raise explained("invalid_chunks", "a task has an id, a title and a status")
            if any(len(str(chunk.get(field) or "")) > MAX_TASK_FIELD for field in ("id", "title", "details", "output")):
                raise explained("invalid_chunks", f"no field of a task is over {MAX_TASK_FIELD} characters")
        case "plan_update":
            if not chunk.get("title"):
                raise explained("invalid_chunks", "a plan has a title")
        case "blocks":
            check(cast("list[JsonObject]", chunk.get("blocks") or []))
        case kind:
            raise explained("invalid_chunks", f"unsupported type: {kind}")


def _append(streaming: Streaming, chunks: list[JsonObject]) -> None:
    for chunk in chunks:
        last = streaming.chunks[-1] if streaming.chunks else {}
        known = next(
            (one for one in streaming.chunks if one["type"] == "task_update" and one["id"] == chunk.get("id")), None
        )
        if chunk["type"] == "task_update" and known is not None:
            details = f"{known.get('details') or ''}{chunk.get('details') or ''}"
            known.update({**chunk, "details": details})
        elif chunk["type"] == "markdown_text" and last.get("type") == "markdown_text":
            last["text"] += chunk["text"]
        else:
            streaming.chunks.append(dict(chunk))


def _blocks(streaming: Streaming) -> list[JsonObject]:
    cards = [_card(chunk) for chunk in streaming.chunks if chunk["type"] == "task_update"]
    titles = [str(chunk["title"]) for chunk in streaming.chunks if chunk["type"] == "plan_update"]
    shown: list[JsonObject] = []
    if streaming.mode == "plan" and cards:
        shown.append({"type": "plan", "title": titles[-1] if titles else "Plan", "tasks": cards})
    for chunk in streaming.chunks:
        match chunk["type"]:
            case "markdown_text":
                shown.append({"type": "markdown", "text": chunk["text"]})
            case "task_update" if streaming.mode != "plan":
                shown.append(_card(chunk))
            case "blocks":
                shown += cast("list[dict[str, Any]]", chunk["blocks"])
            case _:
                pass
    if len(shown) > MAX_BLOCKS:
        raise SlackError("msg_blocks_too_long")
    return [{**block, "block_id": block.get("block_id") or f"b{number}"} for number, block in enumerate(shown)]


def _card(chunk: JsonObject) -> JsonObject:
    return {"type": "task_card", "task_id": chunk["id"], "title": chunk["title"], "status": chunk["status"]}


def _text(streaming: Streaming) -> str:
    return "".join(str(chunk["text"]) for chunk in streaming.chunks if chunk["type"] == "markdown_text")


METHODS = (
    Method("chat.startStream", start, "chat:write", tier=2),
    Method("chat.appendStream", append, "chat:write", tier=4),
    Method("chat.stopStream", stop, "chat:write", tier=2),
)
