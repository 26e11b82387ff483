"""`athenaeum mcp slack`, `docs`, `token`, `tokens` and `revoke`: our own MCP servers, and who may come in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, err, out, run, settings, show_json
from athenaeum.commands.tenancy import Tenant, session_of, tenant_named
from athenaeum.domain.identity import DEFAULT_TENANT, UserId
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.mcp_servers.reader import Reader
    from athenaeum.mcp_servers.tokens import Bearer
    from athenaeum.tenants.access import Access

Server = Literal["slack", "docs"]
Port = Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Instead of ATHENAEUM_PORT.")]
Transport = Annotated[
    Literal["stdio", "http"], typer.Option("--transport", help="Standard input for one person, or HTTP with tokens.")
]
User = Annotated[
    str | None, typer.Option("--user", help="On stdio: the id of the person who is answered, such as U0123456789.")
]


def slack(transport: Transport = "stdio", user: User = None, tenant: Tenant = None, port: Port = None) -> None:
    """Serve channels, people, conversations and messages, as far as the person who asks may read them in Slack.

    Example: athenaeum mcp slack --transport http --port 8002
    """
    _serve("slack", transport, user, tenant, port)


def docs(transport: Transport = "stdio", user: User = None, tenant: Tenant = None, port: Port = None) -> None:
    """Serve the search of documents.

    Example: athenaeum mcp docs --user U0123456789
    """
    _serve("docs", transport, user, tenant, port)


def token(
    user: Annotated[str, typer.Option("--user", help="The id of the person who is answered, such as U0123456789.")],
    server: Annotated[Server, typer.Option("--server", help="The one server that it is for.")] = "slack",
    tenant: Tenant = None,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="For how long.")] = 30,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="The server's, if it has its own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a token by which a person's client reads over HTTP what the person may read; it is in the audit log.

    Example: athenaeum mcp token --user U0123456789 --days 7
    """
    printed, bearer, address = run(_token(_settings(port), server, user, tenant, timedelta(days=days)))
    if as_json:
        expires = bearer.expires_at.isoformat()
        show_json({"token": printed, "id": bearer.id, "url": address, "expires_at": expires})
        return
    err.print(
        f"for {user} at {address} until {bearer.expires_at:%Y-%m-%d}; nobody can look it up later", soft_wrap=True
    )
    out.print(printed, soft_wrap=True)


def tokens(tenant: Tenant = None, as_json: AsJson = False) -> None:
    """List the tokens that are in force, and whose they are; not the tokens themselves, which nobody has but them.

    Example: athenaeum mcp tokens
    """
    found = run(_tokens(tenant))
    if as_json:
        show_json([asdict(access) for access in found])
        return
    if not found:
        out.print("no token is in force")
        return
    table = Table("id", "user", "server", "until", box=None, pad_edge=False)
    for access in found:
        table.add_row(str(access.id), access.user, access.server, f"{access.expires_at:%Y-%m-%d}")
    out.print(table)


def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Of a token, as athenaeum mcp tokens lists it.")],
    tenant: Tenant = None,
) -> None:
    """Take a token back: from the next request on it opens nothing.

    Example: athenaeum mcp revoke 3f0c1a52-7c0e-4a57-9d55-0d8a3c1e8f11
    """
    out.print(f"taken back from {run(_revoke(token_id, tenant))}")


def _serve(server: Server, transport: str, user: str | None, tenant: str | None, port: int | None) -> None:
    if transport == "http":
        if user is not None or tenant is not None:
            raise typer.BadParameter("over HTTP the token says who asks: see athenaeum mcp token", param_hint="--user")
        run(_serve_http(_settings(port, quiet=False), server))
        return
    if user is None:
        raise typer.BadParameter("say who is answered on standard input, by their id in Slack", param_hint="--user")
    if port is not None:
        raise typer.BadParameter("a port is for --transport http", param_hint="--port")
    run(_serve_stdio(_settings(None), server, user, tenant))


async def _serve_http(config: Config, server: Server) -> None:
    from athenaeum.mcp_servers.topic import Topic
    from athenaeum.wiring.lifetime import until_told_to_end
    from athenaeum.wiring.side_doors import open_side_door

    config.log_configuration()
    opening = open_side_door(config, Topic(server))
    await until_told_to_end(opening, ready=lambda address: err.print(f"Serving on {address}", soft_wrap=True))


async def _serve_stdio(config: Config, server: Server, user: str, tenant: str | None) -> None:
    from athenaeum.mcp_servers.topic import Topic
    from athenaeum.wiring.database import open_database
    from athenaeum.wiring.side_doors import serve_on_standard_input

    async with open_database(config) as database:
        reader = await _reader(database, user, tenant)
        await serve_on_standard_input(config, database, Topic(server), reader)


async def _token(
    config: Config, server: Server, user: str, tenant: str | None, lifetime: timedelta
) -> tuple[str, Bearer, str]:
    from athenaeum.mcp_servers.reader import NOT_ADMITTED, is_admitted
    from athenaeum.mcp_servers.topic import Topic
    from athenaeum.tenants import access
    from athenaeum.wiring.database import open_database
    from athenaeum.wiring.signing import open_tokens

    signing = open_tokens(config)
    address = f"{signing.issuer}{Topic(server).path}"
    async with open_database(config) as database:
        reader = await _reader(database, user, tenant)
        if not await is_admitted(database, reader):
            raise Refused(f"{user} can have no token. {NOT_ADMITTED}")
        printed, bearer = signing.issue(reader, audience=address, lifetime=lifetime)
        async with database.session(reader.tenant) as session:
            granted = access.Access(bearer.id, reader.user, server, bearer.expires_at)
            await access.grant(session, reader.tenant, granted)
    return printed, bearer, address


async def _tokens(tenant: str | None) -> list[Access]:
    from athenaeum.tenants import access

    async with session_of(tenant) as (session, _):
        return await access.in_force(session)


async def _revoke(token_id: str, tenant: str | None) -> UserId:
    from athenaeum.tenants import access

    async with session_of(tenant) as (session, of):
        user = None
        with suppress(ValueError):
            user = await access.revoke(session, of, UUID(token_id))
        if user is None:
            raise Refused("no token with this id is in force: `athenaeum mcp tokens` lists those that are")
        return user


async def _reader(database: DatabaseConnection, user: str, tenant: str | None) -> Reader:
    from athenaeum.mcp_servers.reader import Reader

    return Reader(await tenant_named(database, tenant) or DEFAULT_TENANT, UserId(user))


def _settings(port: int | None, *, quiet: bool = True) -> Config:
    config = settings(quiet=quiet)
    return config if port is None else config.model_copy(update={"port": port})
