"""Our MCP servers as a client has them: in the test's own process, or over real HTTP with a token."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
from fastmcp import Client
from fastmcp.exceptions import ToolError

from athenaeum.config import Config
from athenaeum.database.connection import DatabaseConnection
from athenaeum.mcp_servers.reader import Reader
from athenaeum.mcp_servers.tokens import Tokens
from athenaeum.mcp_servers.topic import Topic
from athenaeum.tenants.access import Access, grant
from athenaeum.wiring.side_doors import open_side_door

KEY, OTHER_KEY = (b64encode(bytes([number]) * 32).decode() for number in (7, 8))
OUTSIDE = "https://athenaeum.example"
"""The address that tokens are for; nothing is there."""
VERSION = "2025-06-18"
"""A revision of the protocol that has sessions."""


AskedBy = Callable[[str], AbstractAsyncContextManager[Client[Any]]]
"""A server as it answers the person with this name."""


async def call(client: Client[Any], tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool gives, as its output schema says it."""
    result = await client.call_tool(tool, arguments)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def complaint(client: Client[Any], tool: str, **arguments: Any) -> str:
    """What a tool says that refuses or fails."""
    try:
        given = await client.call_tool(tool, arguments)
    except ToolError as error:
        return str(error)
    raise AssertionError(f"it gave {given.structured_content}")


@dataclass(frozen=True, slots=True)
class SideDoor:
    """A server at work over HTTP; `tokens` are those that it takes."""

    url: str
    topic: Topic
    tokens: Tokens
    database: DatabaseConnection
    http: httpx2.AsyncClient

    async def token(
        self,
        reader: Reader,
        *,
        signed_by: Tokens | None = None,
        audience: str | None = None,
        lifetime: timedelta = timedelta(days=1),
    ) -> str:
        """One that is on record, and good unless it is asked for otherwise."""
        signing = signed_by or self.tokens
        printed, bearer = signing.issue(reader, audience=audience or self.audience, lifetime=lifetime)
        granted = Access(bearer.id, reader.user, self.topic, bearer.expires_at)
        async with self.database.session(reader.tenant) as session:
            await grant(session, reader.tenant, granted)
        return printed

    @property
    def audience(self) -> str:
        return f"{OUTSIDE}{self.topic.path}"

    @asynccontextmanager
    async def client(self, reader: Reader) -> AsyncGenerator[Client[Any]]:
        async with Client(self.url, auth=await self.token(reader)) as client:
            yield client

    async def post(
        self, method: str, params: Mapping[str, Any], *, token: str | None = None, **headers: str
    ) -> httpx2.Response:
        """One request of the protocol, byte for byte; headers are given with `_` for `-`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        accepted = {"accept": "application/json, text/event-stream", "mcp-protocol-version": VERSION}
        return await self.http.post(self.url, json=body, headers={**accepted, **given})

    async def begin(self, token: str | None, **headers: str) -> httpx2.Response:
        """Ask for a session."""
        params = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        return await self.post("initialize", params, token=token, **headers)


@asynccontextmanager
async def side_door(database_url: str, topic: Topic = Topic.SLACK, *, keys: str = KEY) -> AsyncGenerator[SideDoor]:
    """A server on loopback, until the block ends."""
    config = Config(database_url=database_url, port=0, embedder="none", secret_key=keys, mcp_url=OUTSIDE)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_side_door(config, topic))
        database = await stack.enter_async_context(DatabaseConnection(database_url, pool_size=1))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=url.removesuffix(topic.path), verify=False))
        yield SideDoor(url, topic, Tokens(config.secret_keys, issuer=OUTSIDE), database, http)
