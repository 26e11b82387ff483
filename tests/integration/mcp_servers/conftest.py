"""A product whose archive is served, and a client for each of its people."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastmcp import Client, FastMCP

from athenaeum.domain.identity import UserId
from athenaeum.mcp_servers.docs import docs_server
from athenaeum.mcp_servers.reader import Reader
from athenaeum.mcp_servers.slack import slack_server
from support.product import Product
from support.side_doors import AskedBy


@pytest.fixture
def reader(product: Product) -> Callable[[str], Reader]:
    return lambda name: Reader(product.tenant.id, UserId(product.person(name).user.id))


@pytest.fixture
def slack_of(product: Product, reader: Callable[[str], Reader]) -> AskedBy:
    """The Slack server as it answers one person."""
    return _asked_by(slack_server, product, reader)


@pytest.fixture
def docs_of(product: Product, reader: Callable[[str], Reader]) -> AskedBy:
    """The documents' server as it answers one person."""
    return _asked_by(docs_server, product, reader)


def _asked_by(serve: Callable[..., FastMCP[Any]], product: Product, reader: Callable[[str], Reader]) -> AskedBy:
    @asynccontextmanager
    async def asked_by(name: str) -> AsyncGenerator[Client[Any]]:
        running = product.running
        async with Client(serve(running.database, running.index, whose=lambda: reader(name))) as client:
            yield client

    return asked_by
