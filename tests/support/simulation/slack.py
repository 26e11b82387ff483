"""Slack as delivery meets it: four methods, each of which may come late, be lost, be limited or fail.

One thing is taken for granted: a call takes effect before its client stops waiting for the answer, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from support.simulation.loop import VirtualLoop
from support.simulation.network import Network, Reply
from support.simulation.processes import Process

_TIMEOUT = 10.0
_STALE = 0.9
"""Seconds for which a message may be missing from a reading of its thread."""


class Trouble(IntEnum):
    """What Slack does instead of its work."""

    NONE = 0
    LIMITED = 1
    FAILED = 2
    """HTTP 500, without an effect."""
    FAILED_AFTERWARDS = 3
    """HTTP 500, after the effect."""
    STALE = 4
    """A thread is read as it was a moment ago."""


_ODDS = (0.01, 0.02, 0.03, 0.08)


@dataclass(slots=True)
class Message:
    """A message of ours; its time is its place in the workspace."""

    ts: str
    thread_ts: str
    text: str
    client_msg_id: str
    metadata: Mapping[str, Any]
    posted_at: float
    deleted: bool = False

    @property
    def turn(self) -> str:
        return self.metadata["event_payload"]["turn"]

    @property
    def part(self) -> int:
        return self.metadata["event_payload"]["part"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What people saw from some moment on."""

    step: int
    message: Message
    text: str


@dataclass(slots=True)
class Workspace:
    """What stands in Slack, and what ever stood there."""

    loop: VirtualLoop
    ids_count: bool = True
    """Whether `client_msg_id` keeps a message from being posted twice."""
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    watch: Callable[[Message], None] = lambda _: None
    """Called whenever a message shows something new."""
    _numbers: int = 0

    def perform(self, method: str, given: Mapping[str, Any], *, stale: bool) -> dict[str, Any]:
        """Do what a call asks for; `error` in the result where Slack refuses."""
        match method:
            case "chat.postMessage":
                return self._post(given)
            case "chat.update":
                return self._change(given, given["text"])
            case "chat.delete":
                return self._change(given, None)
            case "conversations.replies":
                return {"messages": list(self._thread(given["ts"], stale=stale))}
            case _:
                raise NotImplementedError(method)

    def standing(self, turn: str) -> list[Message]:
        """Our messages of a turn that can be seen."""
        return [message for message in self.messages.values() if not message.deleted and message.turn == turn]

    def _post(self, given: Mapping[str, Any]) -> dict[str, Any]:
        known = given["client_msg_id"]
        if self.ids_count and any(message.client_msg_id == known for message in self.messages.values()):
            return {"error": "duplicate_message"}
        self._numbers += 1
        ts = f"{1_800_000_000 + self._numbers}.000000"
        message = Message(ts, given["thread_ts"], given["text"], known, given["metadata"], self.loop.time())
        self.messages[ts] = message
        self.watch(message)
        return {"ts": ts}

    def _change(self, given: Mapping[str, Any], text: str | None) -> dict[str, Any]:
        message = self.messages.get(given["ts"])
        if message is None or message.deleted:
            return {"error": "message_not_found"}
        if text is None:
            message.deleted = True
        else:
            message.text = text
            self.watch(message)
        return {}

    def _thread(self, ts: str, *, stale: bool) -> Iterator[dict[str, Any]]:
        for message in self.messages.values():
            fresh = self.loop.time() - message.posted_at < _STALE
            if message.thread_ts == ts and not message.deleted and not (stale and fresh):
                yield {"ts": message.ts, "text": message.text, "metadata": message.metadata}


@dataclass(frozen=True, slots=True)
class _Response:
    data: dict[str, Any]
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def get(self, name: str, default: Any = None) -> Any:
        return self.data.get(name, default)


class Web:
    """What a `SlackClient` calls: `AsyncWebClient` with nothing behind it but a workspace."""

    def __init__(self, workspace: Workspace, network: Network, process: Process) -> None:
        self._workspace = workspace
        self._network = network
        self._process = process

    async def api_call(
        self,
        method: str,
        *,
        http_verb: str = "POST",
        params: Mapping[str, Any] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> _Response:
        given = params if http_verb == "GET" else json
        assert given is not None

        def serve(reply: Reply) -> None:
            reply(self._serve(method, given), None)

        async with asyncio.timeout(_TIMEOUT):
            response = await self._network.exchange(
                self._process,
                lambda: _describe(method, given),
                serve,
                lost=aiohttp.ServerDisconnectedError,
            )
        if response.status_code != 200 or "error" in response.data:
            raise SlackApiError("refused", response)
        return response

    def _serve(self, method: str, given: Mapping[str, Any]) -> _Response:
        trouble = Trouble(self._network.choices.fate(_ODDS)) if self._network.harms() else Trouble.NONE
        match trouble:
            case Trouble.LIMITED:
                return _Response({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "2"})
            case Trouble.FAILED:
                return _Response({}, 500)
            case _:
                done = self._workspace.perform(method, given, stale=trouble is Trouble.STALE)
                return _Response({}, 500) if trouble is Trouble.FAILED_AFTERWARDS else _Response(done)


def _describe(method: str, given: Mapping[str, Any]) -> str:
    told = {name: given[name] for name in ("ts", "thread_ts", "text") if given.get(name)}
    return f"{method} {told}"
