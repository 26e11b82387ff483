"""files.*: uploaded in two steps, shared by the second; looked up, and deleted."""

from __future__ import annotations

from slacksim import files, objects
from slacksim.api.call import Call, Method
from slacksim.errors import SlackError
from slacksim.model import Channel, File, JsonObject, Kind, Message

MAX_LENGTH = 1024**3


def begin(call: Call) -> JsonObject:
    arguments = call.arguments
    length = arguments.number("length", 0)
    if not 0 < length <= MAX_LENGTH:
        raise SlackError("file_upload_size_restricted" if length else "invalid_arguments")
    kept = files.begin(call.world, call.app.user_id, arguments.required("filename"), size=length)
    return {"upload_url": f"{call.url}/upload/v1/{kept.id}", "file_id": kept.id}


def complete(call: Call) -> JsonObject:
    """Shares what was uploaded. Completed again it is shared again: what Slack does then it does not say."""
    given = call.arguments.objects("files", "invalid_arguments")
    if not given:
        raise SlackError("invalid_arguments")
    shared = [_uploaded(call, str(each.get("id"))) for each in given]
    for kept, each in zip(shared, given, strict=True):
        kept.title = str(each.get("title") or kept.name)
    if call.arguments.text("channel_id"):
        channel = call.joined("channel_id")
        _share(call, channel, shared)
    return {"files": [{"id": kept.id, "title": kept.title} for kept in shared]}


def _share(call: Call, channel: Channel, shared: list[File]) -> None:
    if channel.is_archived:
        raise SlackError("is_archived")
    parent_ts = call.arguments.text("thread_ts")
    parent = channel.messages.get(parent_ts)
    if parent_ts and parent is None:
        raise SlackError("thread_not_found")
    call.world.post(
        Message(
            ts=call.world.timestamps.next(),
            channel=channel.id,
            user=call.app.user_id,
            text=call.arguments.text("initial_comment"),
            files=shared,
            subtype="file_share",
            thread_ts=(parent.thread_ts or parent.ts) if parent else None,
            bot_id=call.app.bot_id,
            app_id=call.app.id,
            team=call.world.team.id,
            unfurls=False,
        )
    )


def _uploaded(call: Call, file_id: str) -> File:
    kept = files.found(call.world, file_id)
    if kept.content is None or kept.user != call.app.user_id:
        raise SlackError("file_not_found")
    return kept


def info(call: Call) -> JsonObject:
    kept = files.found(call.world, call.arguments.required("file"))
    shared = list(files.shares(call.world, kept))
    if kept.user != call.app.user_id and not any(call.app.user_id in channel.members for channel, _ in shared):
        raise SlackError("file_not_found")
    by_kind: dict[str, dict[str, list[JsonObject]]] = {}
    for channel, message in shared:
        kind = "public" if channel.kind is Kind.PUBLIC else "private"
        told: JsonObject = {"ts": message.ts, "channel_name": channel.name, "team_id": call.world.team.id}
        if message.thread_ts:
            told["thread_ts"] = message.thread_ts
        by_kind.setdefault(kind, {}).setdefault(channel.id, []).append(told)
    return {"file": objects.whole_file(kept) | {"shares": by_kind}, "comments": []}


def delete(call: Call) -> JsonObject:
    kept = files.found(call.world, call.arguments.required("file"))
    if kept.user != call.app.user_id:
        raise SlackError("cant_delete_file")
    files.delete(call.world, kept)
    return {}


METHODS = (
    Method("files.getUploadURLExternal", begin, "files:write", tier=4),
    Method("files.completeUploadExternal", complete, "files:write", tier=4),
    Method("files.info", info, "files:read", tier=4),
    Method("files.delete", delete, "files:write"),
)
