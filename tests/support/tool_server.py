"""An MCP server on loopback, by hand: it keeps what it was asked, and does what no decent server would do."""

from __future__ import annotations

import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from athenaeum.tools.mcp.definition import Definition

SEARCH = "search_issues"


def definition(name: str = SEARCH, description: str = "Search the issues.", **schema: Any) -> dict[str, Any]:
    """A tool as a server tells it."""
    parameters = {"type": "object", "properties": {"query": {"type": "string", "description": "Words."}}, **schema}
    return {"name": name, "description": description, "inputSchema": parameters}


def fingerprint(defined: Mapping[str, Any]) -> str:
    """What an operator writes down who has read it."""
    result = defined.get("outputSchema")
    return Definition(defined["name"], defined["description"], defined["inputSchema"], result).fingerprint


@dataclass(frozen=True, slots=True)
class Heard:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


Handle = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


@dataclass(slots=True)
class ToolServer:
    """The server, as an async context manager.

    `before` may answer any request itself; `pages` are served by GET; `answer` gives a call's text.
    """

    tools: list[dict[str, Any]] = field(default_factory=lambda: [definition()])
    heard: list[Heard] = field(default_factory=list[Heard])
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    pages: dict[str, Any] = field(default_factory=dict[str, Any])
    before: Handle | None = None
    answer: Callable[[dict[str, Any]], str] = lambda arguments: f"Nothing about {arguments.get('query')}."
    tls: ssl.SSLContext | None = None
    origin: str = ""
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"{self.origin}/mcp"

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls).start()
        self.origin = f"http{'s' if self.tls else ''}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def asked(self, method: str) -> int:
        """How often this method of the protocol was called."""
        return sum(f'"{method}"' in request.body for request in self.heard)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        self.heard.append(Heard(request.method, request.path, dict(request.headers), body))
        if self.before is not None and (response := await self.before(request)) is not None:
            return response
        if request.method == "GET" and request.path in self.pages:
            return web.json_response(self.pages[request.path])
        if request.method != "POST":
            return web.Response(status=405)
        asked = json.loads(body)
        if "id" not in asked:
            return web.Response(status=202)
        given = self._answer(asked["method"], asked.get("params") or {})
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **given})

    def _answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "initialize":
                told = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}}
                return {"result": told | {"serverInfo": {"name": "rogue", "version": "1"}}}
            case "tools/list":
                return {"result": {"tools": self.tools}}
            case "tools/call":
                self.calls.append((params["name"], params["arguments"]))
                return {"result": {"content": [{"type": "text", "text": self.answer(params["arguments"])}]}}
            case _:
                return {"error": {"code": -32601, "message": "Method not found"}}


def approving(*tools: Mapping[str, Any], changes: bool = False, **settings: Any) -> dict[str, Any]:
    """A server in the operator's file who has approved these tools."""
    listed = {tool["name"]: {"fingerprint": fingerprint(tool), "changes": changes} for tool in tools}
    return {"tools": listed, **settings}


def write_file(folder: Path, **servers: dict[str, Any]) -> Path:
    """The operator's file."""
    path = folder / "mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    return path
