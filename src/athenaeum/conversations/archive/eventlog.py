"""What Slack told, as it came: the log that the archive can be made from again; the tenant is the session's.

Words are kept here as long as they stand in Slack: what a deletion takes out of the archive is taken out of the log as
well, and its envelope stays. Tokens are never kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, bindparam, cast, func, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.jsonb import storable
from athenaeum.database.models import SlackChannelMove, SlackEvent, SlackMessage
from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.slack.incoming import Payload, moment

HISTORY = "history"
"""The type of a page of a channel's history; all others are Slack's event types."""
_PAGE = 500  # messages; a deletion writes its page anew
_UNCLEAN = ("\\u0000", "\\ud", "t=xox", '"token"')  # in JSON; to look for them takes a tenth of cleaning
_TOKEN = re.compile(r"(?<=[?&])t=xox[^&\s]*&?|[?&]t=xox[^&\s]*$")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about, as far as that can be told without understanding it."""

    channel: ChannelId | None
    ts: MessageTs | None


def subject(event: Payload) -> Subject:
    """The channel and the message of an event of any type."""
    inner = event.child("item") or event.child("message") or Payload({})
    channel = event.child("channel")
    named = channel.text("id") if channel else event.text("channel") or inner.text("channel")
    channel_id = named or event.text("new_channel_id") or event.text("channel_id")
    own = event.text("ts") if event.text("type") in {"message", "app_mention"} else ""
    ts = event.text("deleted_ts") or inner.text("ts") or own
    return Subject(ChannelId(channel_id) if channel_id else None, MessageTs(ts) if ts else None)


async def append(session: AsyncSession, kind: str, body: Payload) -> ChannelId | None:
    """Keep an event's whole body, once; gives the id that stands for its channel now, where Slack has replaced it."""
    event = body.child("event") or Payload({})
    about = subject(event)
    row = {
        "event_id": body.text("event_id") or _digest(_canonical(body.fields)),
        "type": kind,
        "channel_id": about.channel,
        "ts": about.ts,
        "payload": {**_clean(body.fields), "event": _lean(_clean(event.fields))},
    }
    stored = (await session.execute(_APPEND, row)).one_or_none()
    if stored is None:  # it came before
        return None if about.channel is None else await moved_to(session, about.channel)
    return None if stored.channel_id == about.channel else ChannelId(stored.channel_id)


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message raw as Slack gave it, as the log keeps it: canonical JSON."""

    ts: MessageTs
    json: str

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> LoggedMessage:
        """What may be kept of a message."""
        told = _canonical(_lean(raw))
        if any(sign in told for sign in _UNCLEAN):
            told = _canonical(_lean(_clean(raw)))
        return cls(MessageTs(raw["ts"]), told)


async def append_page(session: AsyncSession, channel: ChannelId, messages: Sequence[LoggedMessage]) -> None:
    """Keep messages of a channel's history or of an export; the same page is kept once.

    Importers call it in the transaction that puts the messages into the archive, and after that: what the archive
    knows as deleted is left out, and what is deleted meanwhile waits for this transaction. `athenaeum slack rebuild`
    plays the page again like any event, through `bulk.MessageBatch.take`.
    """
    stamps = [message.ts for message in messages]
    if not stamps:
        return
    period = {"first": moment(min(stamps)), "last": moment(max(stamps))}
    dead = set(await session.scalars(_DEAD, {"channel": channel, "stamps": stamps, **period}))
    alive = [message for message in messages if message.ts not in dead]
    pages = [alive[start : start + _PAGE] for start in range(0, len(alive), _PAGE)]
    if pages:
        await session.execute(_APPEND_PAGE, [_page(channel, page) for page in pages])


def _page(channel: ChannelId, messages: Sequence[LoggedMessage]) -> dict[str, Any]:
    named, told = json.dumps(channel), ", ".join(message.json for message in messages)
    return {
        "event_id": _digest(f"[{named}, {told}]"),
        "type": HISTORY,
        "channel_id": channel,
        "ts": min(message.ts for message in messages),
        "until": max(message.ts for message in messages),
        "payload": f'{{"channel": {named}, "messages": [{told}]}}',
    }


async def blank(session: AsyncSession, channel: ChannelId, ts: MessageTs) -> None:
    """Take the words of a message out of everything that was told of it; the envelopes stay."""
    place = {"channel": channel, "ts": ts}
    await session.execute(_BLANK, place)
    await session.execute(_BLANK_PAGES, place)


async def moved_to(session: AsyncSession, channel: ChannelId) -> ChannelId | None:
    """The id that stands for a channel now; None when Slack has not replaced it."""
    found = await session.scalar(select(SlackChannelMove.moved_to).where(SlackChannelMove.channel_id == channel))
    return ChannelId(found) if found else None


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)


def _digest(canonical: str) -> str:
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _clean(value: Any) -> Any:
    """JSON that PostgreSQL stores, without the tokens that Slack puts into addresses of files, and into the body."""
    if isinstance(value, str):
        return _TOKEN.sub("", storable(value)) if "t=xox" in value else storable(value)
    if isinstance(value, Mapping):
        return {storable(name): _clean(inner) for name, inner in value.items() if name != "token"}
    if isinstance(value, Iterable):
        return [_clean(inner) for inner in value]
    return value


def _lean(event: Mapping[str, Any]) -> dict[str, Any]:
    """Without other messages that ride along: their words would outlive their deletion here."""
    rides = {"root", "previous_message"} if event.get("subtype") == "message_deleted" else {"root"}
    lean = {name: value for name, value in event.items() if name not in rides}
    if isinstance(lean.get("message"), dict):
        lean["message"] = _lean(lean["message"])
    return lean


_CALLED = bindparam("channel_id", type_=String)
_MOVED = select(SlackChannelMove.moved_to).where(SlackChannelMove.channel_id == _CALLED)
_INSERT = insert(SlackEvent).values(
    tenant_id=func.athenaeum_tenant(),
    event_id=bindparam("event_id"),
    type=bindparam("type"),
    channel_id=func.coalesce(_MOVED.scalar_subquery(), _CALLED),
    ts=bindparam("ts"),
    payload=bindparam("payload", type_=JSONB),
)
_APPEND = _INSERT.on_conflict_do_nothing().returning(SlackEvent.channel_id)
_APPEND_PAGE = _INSERT.values(
    until=bindparam("until"), payload=cast(bindparam("payload", type_=String), JSONB)
).on_conflict_do_nothing()
_DEAD = select(SlackMessage.ts).where(
    SlackMessage.channel_id == bindparam("channel"),
    SlackMessage.ts == func.any(bindparam("stamps")),
    SlackMessage.sent_at.between(bindparam("first"), bindparam("last")),
    SlackMessage.deleted_at.is_not(None),
)
_BLANK = text("""
    UPDATE slack_events SET erased_at = clock_timestamp(), payload = jsonb_build_object(
        'type', payload -> 'type', 'team_id', payload -> 'team_id', 'event_id', payload -> 'event_id',
        'event', (
            SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(payload -> 'event')
            WHERE key IN ('type', 'subtype', 'channel', 'channel_type', 'ts', 'event_ts', 'deleted_ts')
        ) || CASE WHEN payload -> 'event' ? 'message'
             THEN jsonb_build_object('message', jsonb_build_object('ts', ts)) ELSE '{}' END
    )
    WHERE channel_id = :channel AND ts = :ts AND erased_at IS NULL AND type NOT LIKE 'reaction%' AND type <> 'history'
    """)
_BLANK_PAGES = text("""
    UPDATE slack_events SET erased_at = clock_timestamp(), payload = jsonb_set(payload, '{messages}', (
        SELECT coalesce(jsonb_agg(message ORDER BY position), '[]')
        FROM jsonb_array_elements(payload -> 'messages') WITH ORDINALITY AS page (message, position)
        WHERE message ->> 'ts' <> :ts
    ))
    WHERE channel_id = :channel AND type = 'history' AND ts <= :ts AND until >= :ts
      AND payload -> 'messages' @> jsonb_build_array(jsonb_build_object('ts', cast(:ts AS text)))
    """)
