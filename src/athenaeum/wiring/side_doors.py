"""The MCP servers: one process each, over HTTP for whoever bears a token, or on standard input for one person."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog

from athenaeum.errors import Refused
from athenaeum.mcp_servers.app import build_app
from athenaeum.mcp_servers.docs import docs_server
from athenaeum.mcp_servers.door import Doorman, Entrance, at_the_door
from athenaeum.mcp_servers.reader import NOT_ADMITTED, is_admitted
from athenaeum.mcp_servers.slack import slack_server
from athenaeum.mcp_servers.topic import Topic
from athenaeum.observability.logging import adopt
from athenaeum.wiring import probes
from athenaeum.wiring.database import open_database
from athenaeum.wiring.http import serve_http
from athenaeum.wiring.library import open_index
from athenaeum.wiring.signing import open_tokens

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastmcp import FastMCP
    from fastmcp.server.auth import AuthProvider

    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.mcp_servers.reader import Reader
    from athenaeum.mcp_servers.server import Whose

log = structlog.get_logger(__name__)

adopt("fastmcp")  # its own log is set up when it is imported, above


@asynccontextmanager
async def open_side_door(config: Config, topic: Topic) -> AsyncGenerator[str]:
    """Serve over HTTP until the block ends; gives the address that was taken.

    Raises:
        Misconfigured: a setting is missing or cannot work; the message names the mend.
    """
    tokens = open_tokens(config)
    async with open_database(config, patient=True) as database:
        doorman = Doorman(database, tokens, resource=f"{tokens.issuer}{topic.path}")
        auth = Entrance(doorman, issuer=tokens.issuer, name=f"Athenaeum: {topic}")
        server = _server(config, topic, database, whose=at_the_door, auth=auth)
        looks = {"database": probes.database(database)}
        app = build_app(server, path=topic.path, address=tokens.issuer, probes=looks)
        async with serve_http(app, host=config.host, port=config.port) as address:
            log.info("process.ready", roles=[f"mcp {topic}"], address=address)
            yield f"{address}{topic.path}"


async def serve_on_standard_input(config: Config, database: DatabaseConnection, topic: Topic, reader: Reader) -> None:
    """Answer one person's client until it closes our standard input.

    Raises:
        Refused: the person may not read.
    """
    if not await is_admitted(database, reader):
        raise Refused(f"{reader.user} cannot be answered. {NOT_ADMITTED}")
    server = _server(config, topic, database, whose=lambda: reader, auth=None)
    await server.run_async("stdio", show_banner=False)


def _server(
    config: Config, topic: Topic, database: DatabaseConnection, *, whose: Whose, auth: AuthProvider | None
) -> FastMCP[Any]:
    build = {Topic.SLACK: slack_server, Topic.DOCS: docs_server}[topic]
    return build(database, open_index(config, database), whose=whose, auth=auth)
