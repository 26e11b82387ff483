"""Tools of real MCP servers, over HTTP and as a command, and what happens when these are not at their best."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.server.dependencies import get_http_headers
from prometheus_client import REGISTRY

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.turn import StepStarted
from athenaeum.tools.mcp.result import LONGEST
from athenaeum.tools.mcp.settings import read_servers
from athenaeum.tools.mcp.visit import visit
from athenaeum.wiring.http import serve_http
from support.embedded import until
from support.product import until as until_so
from support.tool_server import SEARCH, ToolServer, approving, definition, write_file
from support.toolbox import toolbox


def is_connected(server: str, *, wanted: bool = True) -> Callable[[], bool]:
    return lambda: (REGISTRY.get_sample_value("athenaeum_mcp_connected", {"server": server}) == 1) is wanted


NEVER = timedelta(hours=1)
OUT_OF_ORDER = "The tool is out of order"

COMMAND = """
import json, os, sys

for line in sys.stdin:
    asked = json.loads(line)
    if asked["method"] == "initialize":
        told = {"capabilities": {}, "serverInfo": {"name": "shell", "version": "1"}}
        result = told | {"protocolVersion": asked["params"]["protocolVersion"]}
    elif asked["method"] == "tools/list":
        result = {"tools": json.loads(os.environ["TOOLS"])}
    elif asked["method"] == "tools/call":
        if asked["params"]["arguments"]["query"] == "die":
            os._exit(1)
        result = {"content": [{"type": "text", "text": " ".join(sorted(os.environ))}]}
    elif "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "?"}}), flush=True)
        continue
    else:
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


@dataclass
class Library:
    """A real server with a few tools, which can be stopped and started on its port."""

    mcp: FastMCP = field(default_factory=lambda: FastMCP("library"))
    together: asyncio.Barrier = field(default_factory=lambda: asyncio.Barrier(2))
    forever: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        for tool in (self.look_up, self.meet, self.wait, self.tell_all, self.fail, self.whose):
            self.mcp.tool(tool)

    async def look_up(self, title: str, shelf: int = 1) -> dict[str, Any]:
        """Look up a book."""
        return {"title": title, "shelf": shelf}

    async def meet(self) -> str:
        """Come back when two are here."""
        await self.together.wait()
        return "met"

    async def wait(self, context: Context) -> str:
        """Come back some day."""
        await context.report_progress(1, 2)
        await self.forever.wait()
        return "at last"

    async def tell_all(self) -> str:
        """Tell a long story."""
        return "and then " * LONGEST

    async def fail(self) -> str:
        """Do not work."""
        raise ToolError("no such book")

    async def whose(self) -> str:
        """Say who asks."""
        return get_http_headers(include_all=True).get("x-reader", "nobody")

    async def start(self) -> None:
        port = int(self.url.rpartition(":")[2].partition("/")[0]) if self.url else 0
        app: Any = self.mcp.http_app()
        address = await self._running.enter_async_context(serve_http(app, host="127.0.0.1", port=port))
        self.url = f"{address}/mcp"

    async def stop(self) -> None:
        self.forever.set()
        await self._running.aclose()


@pytest.fixture
async def library() -> AsyncGenerator[Library]:
    library = Library()
    await library.start()
    yield library
    await library.stop()


async def approved(folder: Path, server: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """The server in the operator's file who has approved all of its tools as they are now."""
    (named,) = read_servers(write_file(folder, new=server), {}.get).values()
    seen = await visit(named)
    assert not isinstance(seen, str), seen
    tools = {one.tool: {"fingerprint": one.definition.fingerprint, "changes": False} for one in seen if one.definition}
    return server | {"tools": tools} | settings


async def test_a_servers_tools_are_called_side_by_side_and_tell_results_as_data(
    library: Library, database: DatabaseConnection, tmp_path: Path
) -> None:
    server = await approved(tmp_path, {"url": library.url, "headers": {"x-reader": "Ana"}})
    async with toolbox(database, tmp_path, library=server) as box:
        schema = (await box.offered())["library__look_up"].parameters_json_schema
        assert schema["properties"]["shelf"]["default"] == 1
        assert '"title":"Dune"' in await box.call("library__look_up", title="Dune")
        async with asyncio.timeout(20):
            both = await asyncio.gather(box.call("library__meet"), box.call("library__meet"))
        assert all("met" in told for told in both)
        assert "Ana" in await box.call("library__whose")
        assert box.noted[-1] == StepStarted("Asking library…")
        bound = replace(box, tools=frozenset({"library__meet", "search_documents"}))
        assert set(await bound.offered()) == {"library__meet"}


async def test_errors_and_long_results_are_told_as_such(
    library: Library, database: DatabaseConnection, tmp_path: Path
) -> None:
    async with toolbox(database, tmp_path, library=await approved(tmp_path, {"url": library.url})) as box:
        failed = await box.call("library__fail")
        assert failed.startswith("The tool says that it failed.\n\n<<data ")
        assert "no such book" in failed
        unfit = await box.call("library__look_up", shelf="top")
        assert "title" in unfit
        long = await box.call("library__tell_all")
        assert f"It is the beginning of {9 * LONGEST - 1} characters; the rest is not shown." in long
        assert len(long) < LONGEST + 400


async def test_a_server_that_is_slow_costs_the_call(
    library: Library, database: DatabaseConnection, tmp_path: Path
) -> None:
    server = await approved(tmp_path, {"url": library.url})
    async with toolbox(database, tmp_path, hasty=server | {"timeout": 0.5}, library=server) as box:

        async def is_given_up() -> bool:
            return "The tool took too long" in await box.call("hasty__wait")

        await until_so(is_given_up)  # on a busy machine it may not even be connected in that time
        assert "Dune" in await box.call("library__look_up", title="Dune")


async def test_a_server_that_dies_costs_its_tools_until_it_is_back(
    library: Library, database: DatabaseConnection, tmp_path: Path
) -> None:
    async with toolbox(database, tmp_path, library=await approved(tmp_path, {"url": library.url})) as box:
        assert "Dune" in await box.call("library__look_up", title="Dune")

        await library.stop()
        await until(is_connected("library", wanted=False))
        assert (await box.servers.probe()).detail == "library cannot be asked: see athenaeum doctor"
        assert OUT_OF_ORDER in await box.call("library__look_up", title="Dune")
        assert "nothing was done" in await box.call("library__look_up", approved=True, title="Dune")

        await library.start()
        await until(is_connected("library"))
        assert "Dune" in await box.call("library__look_up", title="Dune")


async def test_a_gateways_error_leaves_doubt_about_a_change_and_costs_nothing_else(
    database: DatabaseConnection, tmp_path: Path
) -> None:
    async def break_calls(request: web.Request) -> web.Response | None:
        return web.Response(status=502) if '"tools/call"' in await request.text() else None

    async with (
        ToolServer(before=break_calls) as server,
        toolbox(database, tmp_path, far=approving(definition(), url=server.url)) as box,
    ):
        assert OUT_OF_ORDER in await box.call(f"far__{SEARCH}", query="x")
        assert "it is not known whether this was done" in await box.call(f"far__{SEARCH}", approved=True, query="x")
        assert box.servers.faults == {}


async def test_a_server_that_forgets_its_session_is_greeted_again(database: DatabaseConnection, tmp_path: Path) -> None:
    sessions = ["first"]

    async def keep(request: web.Request) -> web.Response | None:
        asked = json.loads(await request.text() or "{}")
        if asked.get("method") == "initialize":
            told = {"capabilities": {}, "serverInfo": {"name": "old", "version": "1"}}
            result = told | {"protocolVersion": asked["params"]["protocolVersion"]}
            answer = {"jsonrpc": "2.0", "id": asked["id"], "result": result}
            return web.json_response(answer, headers={"mcp-session-id": sessions[-1]})
        given = request.headers.get("mcp-session-id")
        return None if given in {None, sessions[-1]} else web.Response(status=404)

    async with (
        ToolServer(before=keep) as server,
        toolbox(database, tmp_path, every=NEVER, old=approving(definition(), url=server.url)) as box,
    ):
        assert "Nothing about x." in await box.call(f"old__{SEARCH}", query="x")
        sessions.append("second")

        async def is_answered() -> bool:
            return "Nothing about y." in await box.call(f"old__{SEARCH}", query="y")

        await until_so(is_answered)
    assert {heard.headers.get("mcp-session-id") for heard in server.heard} == {None, "first", "second"}


async def test_a_command_gets_none_of_our_settings_and_is_run_again_when_it_dies(
    database: DatabaseConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "not for others")
    script = tmp_path / "server.py"
    script.write_text(COMMAND)
    environment = {"TOOLS": json.dumps([definition()])}
    server = approving(definition(), command=sys.executable, args=[str(script)], env=environment)
    tool = f"shell__{SEARCH}"
    async with toolbox(database, tmp_path, every=NEVER, shell=server) as box:
        told = await box.call(tool, query="settings")
        assert "TOOLS" in told
        assert "SLACK" not in told

        assert "it is not known whether this was done" in await box.call(tool, approved=True, query="die")

        async def is_back() -> bool:
            return "TOOLS" in await box.call(tool, query="settings")

        await until_so(is_back)


async def test_servers_that_are_away_or_silent_hold_nothing_up_and_say_why(
    library: Library, database: DatabaseConnection, tmp_path: Path
) -> None:
    async def say_nothing(_request: web.Request) -> None:
        await asyncio.Event().wait()

    nowhere = {"url": "http://127.0.0.1:1/mcp"}
    async with ToolServer(before=say_nothing) as silent:
        file: dict[str, Any] = {
            "far": nowhere,
            "gone": {"command": "no-such-command"},
            "off": nowhere | {"disabled": True},
            "silent": {"url": silent.url, "timeout": 0.3},
            "library": await approved(tmp_path, {"url": library.url}),
        }
        async with toolbox(database, tmp_path, **file) as box:
            faults = box.servers.faults
            assert "Dune" in await box.call("library__look_up", title="Dune")

    assert set(faults) == {"far", "gone", "silent"}
    assert (faults["far"], faults["silent"]) == ("All connection attempts failed", "it does not answer in time")
