"""A Slack that tells and takes the least it may: four methods, no `url`, no scopes, no `hello`, bare events.

Its ids are those of Enterprise Grid, and fields that nobody has heard of stand where slacksim is generous.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web

TEAM, BOT, PERSON = "T0SPARSE", "W0SPARSEBOT", "W0SPARSE1"
ROOM, DIRECT = "G0SPARSE", "D0SPARSE"
BOT_TOKEN, APP_TOKEN = "xoxb-sparse", "xapp-sparse"
SECRET = "sparse-secret"

Body = dict[str, Any]


@dataclass(slots=True)
class Shown:
    """A message of the bot: all it has shown, and when it was posted."""

    channel: str
    thread_ts: str
    metadata: Any
    states: list[str]
    since: float = field(default_factory=time.monotonic)


class SparseSlack:
    """The server, as an async context manager.

    Attributes:
        messages: What the bot has posted, by ts.
        replies_after: Seconds after which conversations.replies shows a message; None: there is no such method.
        lost: Responses of chat.postMessage that will be lost.
        slowness: Seconds that a method takes.
        methods: What it answers, by method; anything else is unknown to it.
        gone: Whether chat.update says of this text that its message is not there; asked each time.
    """

    def __init__(self) -> None:
        self.messages: dict[str, Shown] = {}
        self.replies_after: float | None = None
        self.lost = 0
        self.slowness: dict[str, float] = {}
        self.gone: Callable[[str], bool] = lambda _: False
        self.events_url = ""
        self.url = ""
        self._connections: list[web.WebSocketResponse] = []
        self._acknowledged: dict[str, asyncio.Event] = {}
        self._came = asyncio.Condition()
        self._count = 0
        self.methods: dict[str, Callable[[Body], Body]] = {
            "auth.test": lambda _: {"team_id": TEAM, "user_id": BOT},
            "apps.connections.open": lambda _: {"url": f"ws://{self.url}/socket"},
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "conversations.replies": self._replies,
        }
        application = web.Application()
        application.add_routes([web.route("*", "/api/{method}", self._call), web.get("/socket", self._socket)])
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for connection in list(self._connections):
            await connection.close()
        await self._runner.cleanup()

    # What happens in the workspace

    def ts(self, *, ahead: float = 0) -> str:
        self._count += 1
        return f"{time.time() + ahead + self._count / 1_000_000:.6f}"

    def mention(self, words: str, *, ahead: float = 0) -> Body:
        said = {"type": "app_mention", "channel": ROOM, "user": PERSON, "text": f"<@{BOT}> {words}"}
        return {**said, "ts": self.ts(ahead=ahead), "mood": {"curious": True}}

    def direct(self, words: str) -> Body:
        said = {"type": "message", "channel": DIRECT, "user": PERSON, "text": words, "ts": self.ts()}
        return {**said, "channel_type": "im", "blocks": None, "tags": [None, 7]}

    def echo(self, ts: str) -> Body:
        """The bot's own message, as it comes back to it."""
        shown = self.messages[ts]
        said = {"type": "message", "channel": shown.channel, "user": BOT, "bot_id": "B0", "text": shown.states[-1]}
        return {**said, "ts": ts, "thread_ts": shown.thread_ts}

    async def send(self, event: Body, *, copies: int = 1) -> None:
        """Deliver an event, so many times at the same moment, and wait until each was taken."""
        self._count += 1
        payload = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{self._count}", "event": event, "x": []}
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            for _ in range(copies):
                group.create_task(self._post(payload) if self.events_url else self._envelope(payload))

    async def disconnect(self, reason: str) -> None:
        """Ask every connection to go, wait for another, then close the old ones."""
        old = list(self._connections)
        for connection in old:
            await connection.send_str(json.dumps({"type": "disconnect", "reason": reason}))
        async with asyncio.timeout(10), self._came:
            await self._came.wait_for(lambda: any(connection not in old for connection in self._connections))
        for connection in old:
            await connection.close()

    async def _post(self, payload: Body) -> None:
        body, now = json.dumps(payload).encode(), str(int(time.time()))
        signature = hmac.new(SECRET.encode(), b":".join((b"v0", now.encode(), body)), hashlib.sha256).hexdigest()
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={signature}"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.events_url, data=body, headers=headers) as answer,
        ):
            assert answer.status == 200

    async def _envelope(self, payload: Body) -> None:
        async with self._came:
            await self._came.wait_for(lambda: bool(self._connections))
        self._count += 1
        envelope = f"envelope-{self._count}"
        self._acknowledged[envelope] = asyncio.Event()
        frame = {"type": "events_api", "envelope_id": envelope, "payload": payload}
        await self._connections[-1].send_str(json.dumps(frame))
        await self._acknowledged[envelope].wait()

    # What the app may do

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async with self._came:
            self._connections.append(socket)
            self._came.notify_all()
        async for frame in socket:
            self._acknowledged[json.loads(frame.data)["envelope_id"]].set()
        self._connections.remove(socket)
        return socket

    async def _call(self, request: web.Request) -> web.StreamResponse:
        given: Body = dict(request.query)
        if request.method == "POST" and request.can_read_body:
            given = await request.json()
        method = request.match_info["method"]
        token = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if request.headers.get("Authorization") != f"Bearer {token}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        await asyncio.sleep(self.slowness.get(method, 0))
        answer = self.methods.get(method, _unknown)(given)
        if method == "chat.postMessage" and self.lost:
            self.lost -= 1
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"ok": "error" not in answer, **answer})

    def _post_message(self, given: Body) -> Body:
        ts = self.ts()
        self.messages[ts] = Shown(given["channel"], given["thread_ts"], given.get("metadata"), [_seen(given)])
        return {"ts": ts}

    def _update(self, given: Body) -> Body:
        if given["ts"] not in self.messages or self.gone(given["text"]):
            return {"error": "message_not_found"}
        self.messages[given["ts"]].states.append(_seen(given))
        return {"ts": given["ts"]}

    def _replies(self, given: Body) -> Body:
        if self.replies_after is None:
            return _unknown(given)
        until = time.monotonic() - self.replies_after
        known = [(ts, said) for ts, said in self.messages.items() if said.thread_ts == given["ts"]]
        return {"messages": [{"ts": ts, "metadata": said.metadata} for ts, said in known if said.since < until]}


def _unknown(_: Body) -> Body:
    return {"error": "unknown_method"}


def _seen(given: Body) -> str:
    return "\n".join(filter(None, map(_words, given.get("blocks") or ()))) or given["text"]


def _words(block: Body) -> str:
    words = block.get("text", "")
    return words["text"] if isinstance(words, dict) else words
