"""Slack's events, each read into one of a few changes; pure, and raises nothing but Malformed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from athenaeum.conversations.archive import Message, read_message
from athenaeum.conversations.archive.mrkdwn import mentioned, mentions, without_mention
from athenaeum.conversations.archive.people import read_person
from athenaeum.domain.channel import ChannelKind, Surface
from athenaeum.domain.identity import ChannelId, MessageTs, UserId
from athenaeum.domain.message import InboundMessage
from athenaeum.gateway.buttons import read_click, read_stop, read_submission
from athenaeum.gateway.changes import (
    Archived,
    Change,
    Doubted,
    HomeOpened,
    Met,
    Moved,
    Nothing,
    Reacted,
    Regranted,
    Relocated,
    Removed,
    Renamed,
    Stale,
    TalkOpened,
    Written,
)
from athenaeum.gateway.envelope import VISIT, Envelope, read_envelope
from athenaeum.slack.incoming import Malformed, Payload, moment

SPOKEN = frozenset({None, "file_share", "thread_broadcast"})
"""Subtypes under which a person speaks to others; `/me` tells, and is not a question."""

_KINDS = {
    "channel": ChannelKind.PUBLIC,
    "group": ChannelKind.PRIVATE,
    "im": ChannelKind.DIRECT,
    "mpim": ChannelKind.GROUP,
}
_CONVERSIONS = frozenset({"channel_convert_to_private", "channel_convert_to_public"})


def normalize(body: object, bot_user: UserId | None) -> Change:
    """The change that an `event_callback` tells of, seen by the bot whose user is `bot_user`.

    Raises:
        Malformed: a field that is needed is missing or malformed.
    """
    return normalize_event(read_envelope(body), bot_user)


def normalize_event(envelope: Envelope, bot_user: UserId | None) -> Change:
    """`normalize` for an envelope that was opened already."""
    if envelope.type in {"message", "app_mention"}:
        return _message(envelope, bot_user)
    read = _READERS.get(envelope.type)
    return read(envelope.event) if read else Nothing()


def _message(envelope: Envelope, bot_user: UserId | None) -> Change:
    event = envelope.event
    subtype = event.text("subtype")
    if subtype == "message_deleted":
        return _removal(event)
    if subtype == "message_changed":
        return _revision(envelope, bot_user)
    if subtype in _CONVERSIONS:
        return Doubted(event.channel())
    if subtype == "message_replied":  # says only that a thread has grown
        return Nothing()
    message = read_message(event.fields, event.channel())
    return Written(
        message=message, kind=_kind(event, message.channel), speech=_speech(envelope, message, event, bot_user)
    )


def _removal(event: Payload) -> Removed:
    previous = event.child("previous_message")
    ts = event.optional_ts("deleted_ts") or (previous.ts() if previous else event.ts("deleted_ts"))
    return Removed(event.channel(), ts, _at(event))


def _revision(envelope: Envelope, bot_user: UserId | None) -> Change:
    event = envelope.event
    inner = event.child("message")
    if inner is None:
        raise Malformed("message: message_changed without the message")
    if inner.text("subtype") == "tombstone":  # the deleted root of a thread that has replies
        return Removed(event.channel(), inner.ts(), _at(event))
    changed_at = event.optional_ts("event_ts") or event.optional_ts("ts")
    message = read_message(inner.fields, event.channel(), changed_at=moment(changed_at) if changed_at else None)
    before = event.child("previous_message")
    return Written(
        message=message,
        kind=_kind(event, message.channel),
        speech=_speech(envelope, message, inner, bot_user),
        revised=True,
        now_mentions=before is not None
        and bot_user is not None
        and mentions(message.text, bot_user)
        and not mentions(before.text("text"), bot_user),
    )


def _at(event: Payload) -> datetime:
    """Slack's time of an event; one without is older than all others."""
    return moment(event.optional_ts("event_ts") or MessageTs("0.0"))


def _kind(event: Payload, channel: ChannelId) -> ChannelKind | None:
    return _KINDS.get(event.text("channel_type")) or (ChannelKind.DIRECT if channel.startswith("D") else None)


def _speech(envelope: Envelope, message: Message, raw: Payload, bot_user: UserId | None) -> InboundMessage | None:
    if message.user is None or message.subtype not in SPOKEN:
        return None
    if message.bot is not None or message.user in {bot_user, "USLACKBOT"} or raw.child("bot_profile"):
        return None
    return InboundMessage(
        surface=Surface.SLACK,
        workspace=envelope.team or "",
        enterprise=envelope.enterprise,
        channel=message.channel,
        channel_kind=_kind(envelope.event, message.channel) or ChannelKind.PRIVATE,
        sender=message.user,
        text=without_mention(message.text, bot_user),
        ts=message.ts,
        thread_ts=message.thread_ts,
        sent_at=message.sent_at,
        mentions_bot=_mentions_bot(envelope, message.text, bot_user),
        metadata={"event_id": envelope.event_id, "files": [file.name for file in message.files]},
    )


def _mentions_bot(envelope: Envelope, text: str, bot_user: UserId | None) -> bool:
    if bot_user is not None and bot_user in mentioned([text]):
        return mentions(text, bot_user)  # in code or a quotation nobody is called
    return envelope.type == "app_mention"  # the bot may have a new user since


def _reacted(event: Payload) -> Change:
    item = event.child("item")
    if item is None or item.text("type") not in {"", "message"}:
        return Nothing()
    added = event.text("type") == "reaction_added"
    return Reacted(item.channel(), item.ts(), event.user(), event.text("reaction"), added, _at(event))


def _moved(event: Payload) -> Change:
    return Moved(event.channel(), event.user(), event.text("type") == "member_joined_channel", _at(event))


def _renamed(event: Payload) -> Change:
    inner = event.child("channel")
    return Renamed(event.channel(), inner.text("name") if inner else "", _at(event))


def _archived(event: Payload) -> Change:
    return Archived(event.channel(), archived=not event.text("type").endswith("unarchive"), at=_at(event))


def _doubted(event: Payload) -> Change:
    return Doubted(event.channel())


def _stale(event: Payload) -> Change:
    return Stale(event.channel())


def _visited(event: Payload) -> Change:
    match event.text("tab"):
        case "home":
            return HomeOpened(event.user())
        case "messages":
            return TalkOpened(event.channel(), event.user())
        case _:
            return Nothing()


def _met(event: Payload) -> Change:
    user = event.child("user")
    if user is None:
        raise Malformed("user: no person")
    return Met(read_person(user.fields, changed_at=_at(event) if event.optional_ts("event_ts") else None))


def _regranted(event: Payload) -> Change:
    return Regranted(is_wider=event.text("type") == "team_access_granted")


def _relocated(event: Payload) -> Change:
    return Relocated(event.channel("new_channel_id"), event.channel("old_channel_id"))


_READERS: dict[str, Callable[[Payload], Change]] = {
    "agent_session_stopped": read_stop,
    VISIT: _visited,
    "block_actions": read_click,
    "reaction_added": _reacted,
    "reaction_removed": _reacted,
    "member_joined_channel": _moved,
    "member_left_channel": _moved,
    "channel_created": _stale,
    "channel_rename": _renamed,
    "group_rename": _renamed,
    "channel_archive": _archived,
    "group_archive": _archived,
    "channel_unarchive": _archived,
    "group_unarchive": _archived,
    "channel_deleted": _archived,
    "group_deleted": _archived,
    "channel_left": _doubted,
    "group_left": _doubted,
    "channel_shared": _doubted,
    "channel_unshared": _stale,
    "channel_id_changed": _relocated,
    "team_access_granted": _regranted,
    "team_access_revoked": _regranted,
    "team_join": _met,
    "user_change": _met,
    "view_submission": read_submission,
}
