"""The trials that workers are put to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from support.anthropic_server import Reply, Request, Says, search_then_answer


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked of the workers, and how the world around them misbehaves.

    Attributes:
        says: How each message of the answer begins.
        states: The state of the turn at the end, and the status of its event.
        requests: Model requests of a turn that nothing disturbs.
        tools: Its tool calls.
        lost_posts: How many responses of chat.postMessage are lost after the message was posted.
        client_msg_ids_count: Whether the workspace refuses a second message with the same id.
        is_streamed: Whether answers are shown by Slack's own streams.
        lost_starts: How many responses of chat.startStream are lost after the stream was started.
    """

    says: tuple[str, ...]
    states: tuple[str, str] = ("delivered", "completed")
    requests: int = 2
    tools: int = 2
    reply: Callable[[Request], Reply] = search_then_answer
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    lost_posts: int = 0
    client_msg_ids_count: bool = True
    is_streamed: bool = False
    lost_starts: int = 0


PLAIN = Trial(says=("Run `athenaeum events retry ID` [1]",))
LOST_RESPONSE = replace(PLAIN, lost_posts=1)
UNKNOWN_IDS = replace(LOST_RESPONSE, client_msg_ids_count=False)
"""The response is lost, and the workspace would take the same message twice."""
STREAMED = replace(PLAIN, is_streamed=True)
LOST_START = replace(STREAMED, lost_starts=1)
SHORT_LEASES = replace(PLAIN, environment={"EVENT_VISIBILITY_TIMEOUT": "2"})
OFFLINE = Trial(says=("I am running without a language model",), environment={"ATHENAEUM_MODEL": "offline"})
WRONG_KEY = Trial(
    says=("The language model refused this workspace's key",),
    states=("failed", "failed"),
    requests=1,
    tools=0,
    environment={"ANTHROPIC_API_KEY": "not-that-key"},
)

REFUSED_AT_FIRST = replace(PLAIN, states=("delivered", "failed"))
"""Slack refuses the answer once: the worker gives up, and shows it all the same."""

_PARTS = ("To begin with,", "After that,", "In the end,")


def _at_length(request: Request) -> Reply:
    """Three paragraphs of which no two fit into one message."""
    said = search_then_answer(request)
    if said.calls:
        return said
    return Says("\n\n".join(f"{beginning} {'a failed event is retried; ' * 240}" for beginning in _PARTS))


SEVERAL_PARTS = Trial(says=_PARTS, reply=_at_length)
