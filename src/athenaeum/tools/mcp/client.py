"""One connection to a server."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation, Tool

from athenaeum.tools.mcp.authorization import client_credentials
from athenaeum.tools.mcp.definition import Definition
from athenaeum.tools.mcp.wire import ServerTransport

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams

    from athenaeum.tools.mcp.settings import ServerSettings

logging.getLogger("mcp.client").setLevel(logging.CRITICAL)  # what it would tell, with tracebacks, `connection` tells

_PAGES: Final = 10
"""Of a list of tools."""
_CONNECTING: Final = 10.0
"""Seconds for one address of a host."""


@asynccontextmanager
async def open_client(server: ServerSettings, *, is_heard: bool = False) -> AsyncGenerator[Client]:
    """A client of the server, past the handshake of whichever revision it speaks.

    It answers none of the requests that a server may make of its client: no sampling, no roots, no questions to people.
    What a command writes to its standard error is dropped, unless it `is_heard`.
    """
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(server.timeout):
            if server.command is None:
                transport = await _http(server, stack)
            else:
                transport = _command(server, stack, is_heard=is_heard)
            client = await stack.enter_async_context(
                Client(
                    transport,
                    read_timeout_seconds=server.timeout,
                    client_info=Implementation(name="athenaeum", version=version("athenaeum")),
                    cache=None,
                )
            )
        yield client


async def definitions(client: Client) -> list[Definition]:
    """Every tool as the server defines it now."""
    found: list[Definition] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += map(_definition, page.tools)
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise RuntimeError(f"its list of tools has more than {_PAGES} pages")


async def _http(server: ServerSettings, stack: AsyncExitStack) -> AbstractAsyncContextManager[TransportStreams]:
    assert server.url is not None
    issuers = [server.oauth.issuer] if server.oauth else []
    client = httpx2.AsyncClient(
        transport=ServerTransport([server.url, *issuers], is_private=server.private),
        headers={name: secret.get_secret_value() for name, secret in server.headers.items()},
        auth=client_credentials(server.url, server.oauth) if server.oauth else None,
        timeout=httpx2.Timeout(server.timeout, connect=_CONNECTING),
        trust_env=False,  # no proxy and no .netrc lead anywhere else
    )
    return streamable_http_client(server.url, http_client=await stack.enter_async_context(client))


def _command(
    server: ServerSettings, stack: AsyncExitStack, *, is_heard: bool
) -> AbstractAsyncContextManager[TransportStreams]:
    assert server.command is not None
    parameters = StdioServerParameters(
        command=server.command,
        args=server.args,
        env={name: secret.get_secret_value() for name, secret in server.env.items()},
        cwd=server.cwd,
    )
    if is_heard:
        return stdio_client(parameters)
    return stdio_client(parameters, errlog=stack.enter_context(Path(os.devnull).open("w", encoding="utf-8")))


def _definition(tool: Tool) -> Definition:
    return Definition(
        tool.name,
        tool.description or "",
        tool.input_schema,
        tool.output_schema,
        says_it_only_reads=bool(tool.annotations and tool.annotations.read_only_hint),
    )
