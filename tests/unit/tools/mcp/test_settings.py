from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from athenaeum.errors import Misconfigured
from athenaeum.tools.mcp.settings import is_foreign, offered_name, read_servers
from athenaeum.tools.toolset import build_toolset

PRINT = "sha256:" + "0" * 64
URL = "https://issues.example/mcp"


def written(folder: Path, content: Any) -> Path:
    path = folder / "mcp.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def complaint(folder: Path, content: Any) -> str:
    path = written(folder, content)
    with pytest.raises(Misconfigured) as refused:
        read_servers(path, {}.get)
    return str(refused.value).replace(f"ATHENAEUM_MCP_CONFIG: {path}: ", "")


def test_the_fields_shape_is_read_and_variables_are_filled_in_as_text(tmp_path: Path) -> None:
    file = {
        "mcpServers": {
            "git-hub": {"type": "http", "url": "https://${HOST}/mcp", "headers": {"Authorization": "Bearer ${TOKEN}"}},
            "shell": {"command": "uvx", "args": ["${TOKEN}"], "env": {"A": "1"}, "cwd": "/tmp", "timeout": 5},
            "off": {"url": "https://${UNSET}/mcp", "disabled": True},
        }
    }
    servers = read_servers(written(tmp_path, file), {"HOST": "mcp.example", "TOKEN": '"}, {"x": "${HOST}'}.get)

    assert servers["git-hub"].url == "https://mcp.example/mcp"
    assert servers["git-hub"].headers["Authorization"].get_secret_value() == 'Bearer "}, {"x": "${HOST}'
    assert servers["shell"].args == ['"}, {"x": "${HOST}']
    assert (servers["shell"].private, servers["shell"].audience, servers["shell"].tenants) == (False, "members", None)
    assert "Bearer" not in repr(servers)


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ({}, "s: give either url or command"),
        ({"url": URL, "command": "x"}, "s: give either url or command"),
        ({"url": URL, "type": "stdio"}, "s: type stdio does not go with url"),
        ({"url": URL, "type": "sse"}, "s.type: Input should be 'http', 'streamable-http' or 'stdio'"),
        ({"url": URL, "args": ["x"]}, "s: args does not go with url"),
        ({"command": "x", "headers": {}}, "s: headers does not go with command"),
        ({"url": URL, "tols": {}}, "s.tols: there is no such setting: see docs/guides/mcp.md"),
        ({"url": "issues.example"}, "s: url: give an https:// address"),
        ({"url": "https://issues.example:port/mcp"}, "s: url: give an https:// address"),
        ({"url": "https://ana:pw@issues.example"}, "s: url: it holds a password: give it in headers"),
        (
            {"url": "http://issues.example"},
            's: url: http is for servers on this machine or in a private network ("private": true): give https://',
        ),
        ({"url": "https://${HOST}/mcp"}, "${HOST} is not set: set it in the environment or in .env"),
        ({"url": URL, "timeout": 0}, "s.timeout: Input should be greater than 0"),
        (
            {"url": URL, "tools": {"a": {"fingerprint": "sha256:0"}}},
            "s.tools.a.fingerprint: String should match pattern '^sha256:[0-9a-f]{64}$'",
        ),
        (
            {"url": URL, "tools": {"t" * 70: {"fingerprint": PRINT}}},
            f"s.tools.{'t' * 70}: s__{'t' * 70} is longer than 64: give the server a short name",
        ),
    ],
)
def test_a_fault_is_one_line_that_names_the_place_and_the_mend(
    server: dict[str, Any], told: str, tmp_path: Path
) -> None:
    assert complaint(tmp_path, {"mcpServers": {"s": server}}) == told


@pytest.mark.parametrize("name", ["a__b", "_a", "a-", "a b", "", "ä"])
def test_a_servers_name_cannot_reach_into_another_servers(name: str, tmp_path: Path) -> None:
    told = complaint(tmp_path, {"mcpServers": {name: {"url": URL}}})
    assert told == f"{name}: a server's name is of letters, digits, and single - and _ between them"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1): mend the file"),
        ('{"mcpServers": {"a": {}, "a": {}}}', "'a' is there twice: mend the file"),
        ("[]", 'it should hold {"mcpServers": {…}} and nothing beside it'),
        ({"mcpServers": {}, "inputs": []}, 'it should hold {"mcpServers": {…}} and nothing beside it'),
        ({"mcpServers": []}, "mcpServers: give an object of servers by their names"),
    ],
)
def test_a_file_that_is_none_says_so(content: Any, told: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, content) == told


def test_a_secret_is_not_told_in_a_complaint(tmp_path: Path) -> None:
    told = complaint(tmp_path, {"mcpServers": {"s": {"url": URL, "headers": {"Authorization": ["hunter2"]}}}})
    assert told == "s.headers.Authorization: Input should be a valid string"


def test_a_file_that_is_not_there_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="No such file or directory: mend the path, or unset ATHENAEUM_MCP_CONFIG"):
        read_servers(tmp_path / "none.json", {}.get)


def test_no_tool_of_ours_could_be_another_servers() -> None:
    assert is_foreign(offered_name("github", "search.issues"))
    assert not [name for name in build_toolset().tools if is_foreign(name)]
