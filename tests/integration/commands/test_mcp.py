from __future__ import annotations

import json

from support.command_line import CommandLine
from support.tool_server import SEARCH, ToolServer, approving, definition, fingerprint, write_file


async def test_what_there_is_to_approve_is_shown_with_the_lines_that_approve_it(athenaeum: CommandLine) -> None:
    async with ToolServer() as server:
        hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
        number = {"number": {"type": "integer", "description": f"Which.{hidden}"}}
        told = definition("close_issue", f"Close an issue.{hidden}\x1b[2J", properties=number)
        server.tools = [definition(), told | {"annotations": {"readOnlyHint": True}}]
        file = write_file(athenaeum.directory, tracker=approving(definition(), url=server.url))

        outcome = await athenaeum("mcp", "tools", "tracker", ATHENAEUM_MCP_CONFIG=str(file))

    assert outcome.status == 0
    assert f"approved  {SEARCH}" in outcome.out
    assert "new       close_issue" in outcome.out
    assert "Close an issue.\\U000e006f" in outcome.out
    assert "\\x1b[2J" in outcome.out
    assert '"description": "Which.\\udb40\\udc6f' in outcome.out
    assert hidden not in outcome.out
    assert "(says itself that it only reads)" in outcome.out
    lines = outcome.out[outcome.out.index(f'  "{SEARCH}": ') :]
    assert json.loads(f"{{{lines}}}") == {
        SEARCH: {"fingerprint": fingerprint(definition()), "changes": False},
        "close_issue": {"fingerprint": fingerprint(told), "changes": True},
    }


async def test_a_server_that_cannot_be_asked_is_told_for_scripts_and_by_the_exit_status(athenaeum: CommandLine) -> None:
    file = write_file(athenaeum.directory, far={"url": "http://127.0.0.1:1/mcp"})

    outcome = await athenaeum("mcp", "tools", "--json", ATHENAEUM_MCP_CONFIG=str(file))

    assert outcome.status == 1
    assert json.loads(outcome.out) == [{"server": "far", "fault": "All connection attempts failed", "tools": []}]


async def test_a_wrong_call_is_told_in_one_line(athenaeum: CommandLine) -> None:
    file = write_file(athenaeum.directory, tracker={"url": "https://${HOST_OF_TRACKER}/mcp"})

    unset = await athenaeum("mcp", "tools")
    unknown = await athenaeum("mcp", "tools", "x", ATHENAEUM_MCP_CONFIG=str(file), HOST_OF_TRACKER="tracker.example")
    broken = await athenaeum("mcp", "tools", ATHENAEUM_MCP_CONFIG=str(file))

    assert unset.complaint == "ATHENAEUM_MCP_CONFIG is not set: docs/guides/mcp.md tells what it names"
    assert unknown.complaint == "there is no server 'x': there are tracker"
    assert broken.complaint.endswith("${HOST_OF_TRACKER} is not set: set it in the environment or in .env")
