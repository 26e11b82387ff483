"""`athenaeum mcp slack`, `docs` and `token`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT
from support.command_line import CommandLine
from support.index import Workspace
from support.side_doors import KEY, OUTSIDE, call

HTTP = ("mcp", "slack", "--transport", "http")
SETTINGS = {"ATHENAEUM_SECRET_KEY": KEY, "ATHENAEUM_MCP_URL": OUTSIDE}


@pytest.fixture
async def people(database_url: str) -> None:
    """A member and a guest, in a channel."""
    async with DatabaseConnection(database_url, pool_size=1) as database:
        workspace = Workspace(database, DEFAULT_TENANT)
        await workspace.user("U1")
        await workspace.user("U2", guest=True)
        await workspace.channel("C1", "public", "U1", "U2")


@pytest.mark.usefixtures("people")
async def test_a_token_opens_the_server_and_who_has_one_is_on_record(athenaeum: CommandLine) -> None:
    issued = await athenaeum("mcp", "token", "--user", "U1", "--days", "7", **SETTINGS)
    log = await athenaeum("audit", "list", "--json")
    async with athenaeum.service(*HTTP, **SETTINGS) as service:
        url = (await service.says("Serving on")).split("Serving on ")[1].split()[0]
        async with Client(url, auth=issued.out.strip(), mode="legacy") as client:
            listed = await call(client, "list_channels")
            assert await service.end() == 0  # a client that stays does not hold it up

    assert [channel["id"] for channel in listed["channels"]] == ["C1"]
    [entry] = json.loads(log.out)
    assert (entry["deed"], entry["actor"], entry["subject"]) == ("token.issued", "operator", "U1")
    assert entry["detail"]["server"] == "slack"
    assert issued.out.strip() not in log.out + issued.err + "".join(service.lines)


@pytest.mark.usefixtures("people")
async def test_a_token_is_listed_and_taken_back_once(athenaeum: CommandLine) -> None:
    assert (await athenaeum("mcp", "tokens")).out == "no token is in force\n"
    issued = json.loads((await athenaeum("mcp", "token", "--user", "U1", "--json", **SETTINGS)).out)
    [listed] = json.loads((await athenaeum("mcp", "tokens", "--json")).out)
    table = (await athenaeum("mcp", "tokens")).out

    taken = await athenaeum("mcp", "revoke", issued["id"])
    again = await athenaeum("mcp", "revoke", issued["id"])
    log = json.loads((await athenaeum("audit", "list", "--json")).out)

    assert (listed["id"], listed["user"], listed["server"]) == (issued["id"], "U1", "slack")
    assert {issued["id"], "U1", "slack"} <= set(table.split())
    assert (taken.status, taken.out) == (0, "taken back from U1\n")
    assert (again.status, "athenaeum mcp tokens" in again.complaint) == (1, True)
    assert [entry["deed"] for entry in log] == ["token.revoked", "token.issued"]


@pytest.mark.usefixtures("people")
async def test_a_token_as_a_script_has_it(athenaeum: CommandLine) -> None:
    told = json.loads((await athenaeum("mcp", "token", "--user", "U1", "--server", "docs", "--json", **SETTINGS)).out)

    assert set(told) == {"token", "id", "url", "expires_at"}
    assert told["url"] == f"{OUTSIDE}/mcp/docs"


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("user", ["U2", "U3"], ids=["a guest", "nobody"])
async def test_who_may_not_read_gets_no_token_and_no_answer(athenaeum: CommandLine, user: str) -> None:
    token = await athenaeum("mcp", "token", "--user", user, **SETTINGS)
    stdio = await athenaeum("mcp", "docs", "--user", user)

    assert (token.status, "can have no token. Only full members" in token.complaint) == (1, True)
    assert (stdio.status, "cannot be answered. Only full members" in stdio.complaint) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "settings", "status", "words"),
    [
        ("token --user U1", {}, 1, "ATHENAEUM_SECRET_KEY is not set"),
        ("token --user U1", {"ATHENAEUM_SECRET_KEY": KEY}, 1, "ATHENAEUM_MCP_URL is not set"),
        (
            "slack --transport http --port 8002",
            {"ATHENAEUM_SECRET_KEY": KEY, "ATHENAEUM_HOST": "0.0.0.0"},
            1,
            "ATHENAEUM_MCP_URL is not set",
        ),
        ("slack --transport http", {}, 1, "ATHENAEUM_SECRET_KEY is not set"),
        ("slack", {}, 2, "say who is answered"),
        ("docs --user U1 --port 8002", {}, 2, "a port is for --transport http"),
        ("docs --transport http --user U1", {}, 2, "athenaeum mcp token"),
        ("token --user U1 --days 366", {}, 2, "less than or equal to 365"),
        ("revoke some", {}, 1, "athenaeum mcp tokens"),
    ],
)
async def test_what_cannot_work_is_refused_in_one_line(
    athenaeum: CommandLine, arguments: str, settings: dict[str, str], status: int, words: str
) -> None:
    refused = await athenaeum("mcp", *arguments.split(), **settings)

    assert refused.status == status
    assert words in refused.err.splitlines()[-1]


@pytest.mark.usefixtures("people")
async def test_a_client_is_answered_on_standard_input_and_nothing_else_is_written_there(
    athenaeum: CommandLine, tmp_path: Path
) -> None:
    said, heard, copy = (tmp_path / name for name in ("said", "heard", "copy"))
    for pipe in (said, heard):
        os.mkfifo(pipe)
    bridge = f"tee {copy} < {heard} & exec cat > {said}"  # to a process that is forked already
    async with athenaeum.piped("mcp", "slack", "--user", "U1", stdin=said, out=heard) as process:
        async with Client(StdioTransport("sh", ["-c", bridge], keep_alive=False)) as client:
            listed = await call(client, "list_channels")
        await process.ended()

    assert [channel["id"] for channel in listed["channels"]] == ["C1"]
    assert process.status == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in copy.read_text().splitlines())
