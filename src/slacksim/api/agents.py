"""assistant.threads.* and agents.sessions.*: the status line, the thread's title, and questions to begin with."""

from __future__ import annotations

from slacksim.api.call import Call, Method
from slacksim.errors import SlackError, explained
from slacksim.model import Channel, JsonObject

SESSION_STATES = ("active", "processing", "suspended", "closed")
MAX_LOADING_MESSAGES = 10
MAX_PROMPTS = 4


def _thread(call: Call) -> tuple[Channel, str]:
    channel = call.joined("channel_id")
    ts = call.arguments.text("thread_ts")
    if ts and ts not in channel.messages:
        raise SlackError("thread_not_found")
    return channel, ts


def set_status(call: Call) -> JsonObject:
    channel, ts = _thread(call)
    call.arguments.required("thread_ts")
    loading = call.arguments.parsed("loading_messages", "invalid_arguments") or []
    if len(loading) > MAX_LOADING_MESSAGES:
        raise explained("invalid_arguments", f"at most {MAX_LOADING_MESSAGES} loading_messages")
    call.world.set_status(channel, ts, call.arguments.text("status"), tuple(map(str, loading)))
    return {}


def set_title(call: Call) -> JsonObject:
    _thread(call)
    call.arguments.required("title")
    return {}


def set_prompts(call: Call) -> JsonObject:
    channel, ts = _thread(call)
    prompts = call.arguments.objects("prompts", "invalid_arguments")
    if not prompts or not all(prompt.get("title") and prompt.get("message") for prompt in prompts):
        raise explained("invalid_arguments", "each prompt needs a title and a message")
    if len(prompts) > MAX_PROMPTS:
        raise explained("invalid_arguments", f"at most {MAX_PROMPTS} prompts")
    if not ts:  # the app is an agent: with a thread, Slack says yes and shows nothing
        call.world.suggest(channel, tuple(str(prompt["message"]) for prompt in prompts))
    return {}


def set_session_status(call: Call) -> JsonObject:
    channel, ts = _thread(call)
    status = call.arguments.required("status")
    if status not in SESSION_STATES:
        raise explained("invalid_arguments", f"status is one of {', '.join(SESSION_STATES)}")
    call.world.set_status(channel, ts, "is working…" if status == "processing" else "")
    return {}


METHODS = (
    Method("assistant.threads.setStatus", set_status, "chat:write"),
    Method("assistant.threads.setTitle", set_title, "assistant:write"),
    Method("assistant.threads.setSuggestedPrompts", set_prompts, "assistant:write"),
    Method("agents.sessions.setStatus", set_session_status, "assistant:write"),
)
