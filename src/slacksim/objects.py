"""Users, conversations and messages as Slack's JSON shows them."""

from __future__ import annotations

from slacksim.model import Channel, File, JsonObject, Kind, Message, User


def user(person: User, team_id: str) -> JsonObject:
    profile: JsonObject = {
        "title": person.title,
        "real_name": person.real_name,
        "real_name_normalized": person.real_name,
        "display_name": person.name,
        "display_name_normalized": person.name,
        "team": team_id,
    }
    if person.is_bot:
        profile["bot_id"] = person.bot_id
    else:
        profile["email"] = person.email
    return {
        "id": person.id,
        "team_id": team_id,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.is_deleted,
        "color": person.color,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.is_guest,
        "is_ultra_restricted": False,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": 0,
    }


def conversation(channel: Channel, *, viewer: str, team_id: str) -> JsonObject:
    """A conversation as ``viewer`` sees it: a direct message names the other person."""
    shown: JsonObject = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_im": channel.kind is Kind.IM,
        "is_mpim": channel.kind is Kind.MPIM,
        "is_channel": channel.kind is Kind.PUBLIC,
        "is_group": channel.kind is Kind.PRIVATE,
        "is_private": channel.kind is not Kind.PUBLIC,
        "is_org_shared": False,
        "is_shared": False,
        "is_ext_shared": False,
        "is_member": viewer in channel.members,
        "context_team_id": team_id,
        "updated": channel.created * 1000,
    }
    if channel.kind is Kind.IM:
        shown["user"] = next((member for member in channel.members if member != viewer), viewer)
        shown["is_user_deleted"] = False
        return shown
    return shown | {
        "name": channel.name,
        "name_normalized": channel.name,
        "creator": channel.creator,
        "is_general": channel.is_general,
        "unlinked": 0,
        "previous_names": [],
        "num_members": len(channel.members),
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": channel.purpose, "creator": "", "last_set": 0},
    }


def message(channel: Channel, said: Message, *, with_metadata: bool = False) -> JsonObject:
    """A message; on a parent with what its thread amounts to."""
    shown: JsonObject = {"type": "message", "user": said.user, "text": said.text, "ts": said.ts}
    optional: JsonObject = {
        "subtype": said.subtype,
        "client_msg_id": said.client_msg_id,
        "bot_id": said.bot_id,
        "app_id": said.app_id,
        "username": said.username,
        "team": said.team,
        "blocks": said.blocks,
        "attachments": said.attachments,
        "files": [file(each) for each in said.files],
        "edited": said.edited,
        "inviter": said.inviter,
        "metadata": said.metadata if with_metadata else None,
    }
    shown.update({name: value for name, value in optional.items() if value})
    if said.subtype == "tombstone":
        shown["hidden"] = True
    if said.reactions:
        shown["reactions"] = reactions(said)
    if said.thread_ts is not None:
        shown["thread_ts"] = said.thread_ts
        parent = channel.messages.get(said.thread_ts)
        if parent is not None:
            shown["parent_user_id"] = parent.user
    elif replies := channel.threads.get(said.ts):
        shown.update(_thread_summary(channel, said.ts, replies))
    return shown


def file(kept: File) -> JsonObject:
    """A file as messages show it."""
    if kept.is_deleted:
        return {"id": kept.id, "mode": "tombstone"}
    if kept.is_sparse:
        return {"id": kept.id, "created": kept.created, "user": kept.user, "file_access": "check_file_info"}
    return whole_file(kept)


def whole_file(kept: File) -> JsonObject:
    """All that is known of a file; one that is still on its way has no address."""
    shown: JsonObject = {
        "id": kept.id,
        "created": kept.created,
        "timestamp": kept.created,
        "name": kept.name,
        "title": kept.title or kept.name,
        "mimetype": kept.mimetype,
        "filetype": kept.name.rpartition(".")[2].lower(),
        "user": kept.user,
        "user_team": kept.team,
        "size": kept.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": False,
        "file_access": "visible",
    }
    if kept.content is not None:
        address = f"{kept.address}/files-pri/{kept.team}-{kept.id}"
        shown |= {"url_private": f"{address}/{kept.name}", "url_private_download": f"{address}/download/{kept.name}"}
        shown["permalink"] = f"{kept.address}/files/{kept.user}/{kept.id}/{kept.name}"
    return shown


def reactions(said: Message) -> list[JsonObject]:
    return [{"name": name, "users": list(people), "count": len(people)} for name, people in said.reactions.items()]


def _thread_summary(channel: Channel, parent_ts: str, replies: list[str]) -> JsonObject:
    people = list(dict.fromkeys(channel.messages[ts].user for ts in replies))
    return {
        "thread_ts": parent_ts,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "reply_users": people[:5],
        "latest_reply": replies[-1],
        "is_locked": False,
        "subscribed": False,
    }
