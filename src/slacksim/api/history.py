"""conversations.history, .replies and .mark: what was said."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from slacksim import objects
from slacksim.api.call import Arguments, Call, Method
from slacksim.api.pages import MAX_LIMIT, decoded, encoded
from slacksim.errors import SlackError, explained
from slacksim.model import JsonObject


def _in_range(arguments: Arguments) -> Callable[[str], bool]:
    oldest = arguments.text("oldest", "0")
    latest = arguments.text("latest") or "9999999999"
    try:
        low, high = float(oldest), float(latest)
    except ValueError:
        raise SlackError("invalid_ts_oldest" if arguments.text("oldest") else "invalid_ts_latest") from None
    if arguments.flag("inclusive"):
        return lambda ts: low <= float(ts) <= high
    return lambda ts: low < float(ts) < high


def _limit(call: Call, default: int) -> int:
    limit = call.arguments.number("limit", default) or default
    if not 1 <= limit <= MAX_LIMIT:
        raise explained("invalid_limit", f"must be between 1 and {MAX_LIMIT}: limit")
    return min(limit, call.limits.history_page)


def history(call: Call) -> JsonObject:
    """Newest first, without the replies of threads."""
    channel = call.readable()
    is_wanted = _in_range(call.arguments)
    limit = _limit(call, 100)
    before = decoded(cursor) if (cursor := call.arguments.text("cursor")) else "~"
    matching = (ts for ts in reversed(channel.timeline) if ts <= before and is_wanted(ts))
    found = list(islice(matching, limit + 1))
    with_metadata = call.arguments.flag("include_all_metadata")
    answer: JsonObject = {
        "messages": [
            objects.message(channel, channel.messages[ts], with_metadata=with_metadata) for ts in found[:limit]
        ],
        "has_more": len(found) > limit,
        "pin_count": 0,
    }
    if len(found) > limit:
        answer["response_metadata"] = {"next_cursor": encoded(found[limit])}
    return answer


def replies(call: Call) -> JsonObject:
    """The parent, then its replies, oldest first. A reply's own ts finds its thread too."""
    channel = call.readable()
    asked = channel.messages.get(call.arguments.required("ts"))
    if asked is None:
        raise SlackError("thread_not_found")
    parent_ts = asked.thread_ts or asked.ts
    is_wanted = _in_range(call.arguments)
    limit = _limit(call, 1000)
    after = decoded(cursor) if (cursor := call.arguments.text("cursor")) else ""
    thread = [ts for ts in channel.threads.get(parent_ts, []) if ts >= after and is_wanted(ts)]
    shown, rest = thread[:limit], thread[limit:]
    parent = [] if after or parent_ts not in channel.messages else [parent_ts]
    with_metadata = call.arguments.flag("include_all_metadata")
    answer: JsonObject = {
        "messages": [
            objects.message(channel, channel.messages[ts], with_metadata=with_metadata) for ts in [*parent, *shown]
        ],
        "has_more": bool(rest),
    }
    if rest:
        answer["response_metadata"] = {"next_cursor": encoded(rest[0])}
    return answer


def mark(call: Call) -> JsonObject:
    call.joined()
    call.arguments.required("ts")
    return {}


METHODS = (
    Method("conversations.history", history),
    Method("conversations.replies", replies),
    Method("conversations.mark", mark, "channels:manage"),
)
