"""A server on loopback that speaks the Messages API, as JSON and as server-sent events, by a script.

Each request takes the next reply of `script`; when that is empty, `reply` decides: both searches first, then a
sentence that cites every label it was shown, unless a test puts a function of its own there.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

KEY = "a-key-for-tests"
_LABEL = re.compile(r"\[(S\d+)\]")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model calls."""

    name: str
    input: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Says:
    """A finished response: text, then tool calls; `pace` is the seconds between two events of its stream."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    stop_reason: str | None = None
    pace: float = 0
    cached: tuple[int, int] = (0, 0)
    """Tokens read from the cache of prompts, and written to it, beside the hundred that are neither."""


@dataclass(frozen=True, slots=True)
class Fails:
    """An error before anything is streamed."""

    status: int
    type: str
    message: str = "as scripted"
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class BreaksOff:
    """A stream that ends in its middle: with a reset, cleanly as a proxy would, or with an error event."""

    text: str
    how: str = "reset"


@dataclass(frozen=True, slots=True)
class Stalls:
    """A stream that says nothing until the client goes away."""


Reply = Says | Fails | BreaksOff | Stalls


@dataclass(frozen=True, slots=True)
class Request:
    """What the client sent."""

    headers: dict[str, str]
    body: dict[str, Any]
    sent: bytes = b""
    """The body as it came."""

    @property
    def shown(self) -> str:
        """Everything in the conversation, as one text."""
        return json.dumps(self.body["messages"], ensure_ascii=False)


class AnthropicServer:
    """The server, as an async context manager; `url` is what ANTHROPIC_BASE_URL names."""

    def __init__(self) -> None:
        self.script: deque[Reply] = deque()
        self.reply: Callable[[Request], Reply] = search_then_answer
        self.requests: list[Request] = []
        self.billed = 0
        """Requests that were carried out, whoever heard of it."""
        self.arrived = asyncio.Event()
        self.url = ""
        application = web.Application()
        application.router.add_post("/v1/messages", self._messages)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("authorization") != f"Bearer {KEY}":  # x-api-key until anthropic 2
            return _error(Fails(401, "authentication_error", "invalid bearer token"))
        received = Request(dict(request.headers), await request.json(), await request.read())
        self.requests.append(received)
        self.arrived.set()
        reply = self.script.popleft() if self.script else self.reply(received)
        if isinstance(reply, Fails):
            return _error(reply)
        self.billed += 1
        if not received.body.get("stream"):
            assert isinstance(reply, Says)
            return web.json_response(_message(received.body["model"], len(self.requests), _blocks(reply)))
        return await self._stream(request, received, reply)

    async def _stream(
        self, request: web.Request, received: Request, reply: Says | BreaksOff | Stalls
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream", "request-id": "req_test"})
        await response.prepare(request)
        number = len(self.requests)
        message = _message(received.body["model"], number, [], finished=False)
        if isinstance(reply, Says):
            read, written = reply.cached
            message["usage"] |= {"cache_read_input_tokens": read, "cache_creation_input_tokens": written}
        await response.write(_event("message_start", message=message))
        if isinstance(reply, Stalls):
            await asyncio.Event().wait()
        elif isinstance(reply, BreaksOff):
            await self._break_off(request, response, reply)
        else:
            for event in _events(reply, number):
                await response.write(event)
                await asyncio.sleep(reply.pace)
        return response

    async def _break_off(self, request: web.Request, response: web.StreamResponse, reply: BreaksOff) -> None:
        await response.write(_event("content_block_start", index=0, content_block={"type": "text", "text": ""}))
        await response.write(_event("content_block_delta", index=0, delta={"type": "text_delta", "text": reply.text}))
        if reply.how == "error":
            await response.write(_event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
        elif reply.how == "reset":
            assert request.transport is not None
            request.transport.close()


def search_then_answer(request: Request) -> Says:
    """Both searches for the words of the question; then a sentence with the labels that were found."""
    last = request.body["messages"][-1]["content"]
    results = [block for block in last if isinstance(block, dict) and block["type"] == "tool_result"]
    if not results:
        query = next(block["text"] for block in reversed(last) if block["type"] == "text")
        names = [tool["name"] for tool in request.body["tools"]]
        return Says("Let me look.", tuple(Call(name, {"query": query[:100]}) for name in names))
    labels = dict.fromkeys(_LABEL.findall(json.dumps(results)))
    return Says("Run `athenaeum events retry ID`" + "".join(f" [{label}]" for label in labels) + ".")


def _blocks(says: Says, number: int = 0) -> list[dict[str, Any]]:
    text: list[dict[str, Any]] = [{"type": "text", "text": says.text}] if says.text else []
    calls = [
        {"type": "tool_use", "id": f"toolu_{number}_{place}", "name": call.name, "input": call.input}
        for place, call in enumerate(says.calls)
    ]
    return text + calls


def _message(model: str, number: int, content: list[dict[str, Any]], *, finished: bool = True) -> dict[str, Any]:
    return {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "end_turn" if finished else None,
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": 20 if finished else 1},
    }


def _events(says: Says, number: int) -> Iterator[bytes]:
    yield _event("ping")
    for index, block in enumerate(_blocks(says, number)):
        text = block["type"] == "text"
        empty = {"text": ""} if text else {"input": {}}
        yield _event("content_block_start", index=index, content_block={**block, **empty})
        words = block["text"] if text else json.dumps(block["input"])
        for start in range(0, len(words), 7):
            piece = words[start : start + 7]
            delta = (
                {"type": "text_delta", "text": piece} if text else {"type": "input_json_delta", "partial_json": piece}
            )
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    stop_reason = says.stop_reason or ("tool_use" if says.calls else "end_turn")
    yield _event(
        "message_delta", delta={"stop_reason": stop_reason, "stop_sequence": None}, usage={"output_tokens": 20}
    )
    yield _event("message_stop")


def _event(type_: str, **fields: Any) -> bytes:
    return f"event: {type_}\ndata: {json.dumps({'type': type_, **fields})}\n\n".encode()


def _error(fails: Fails) -> web.Response:
    body = {"type": "error", "error": {"type": fails.type, "message": fails.message}, "request_id": "req_test"}
    return web.json_response(body, status=fails.status, headers={**fails.headers, "request-id": "req_test"})
