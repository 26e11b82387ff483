from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from athenaeum.cli import app
from support.command_line import CommandLine

HEAVY = {
    *("pydantic_ai", "anthropic", "onnxruntime", "numpy", "sqlalchemy", "psycopg", "slack_sdk", "fastapi", "alembic"),
    *("mcp", "fastmcp"),
}


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


COMMANDS = sorted(_commands(typer.main.get_command(app)))


def test_all_commands_are_looked_at() -> None:
    assert len(COMMANDS) >= 24


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
async def test_help_shows_an_example(athenaeum: CommandLine, path: tuple[str, ...]) -> None:
    outcome = await athenaeum(*path, "--help")

    assert outcome.status == 0
    assert "Usage:" in outcome.out
    assert "Example:" in outcome.out
    assert "athenaeum" in outcome.out.partition("Example:")[2].splitlines()[0]
    assert outcome.err == ""


@pytest.mark.parametrize("path", [(), ("docs",), ("events",), ("events", "limits"), ("db",), ("slack",)], ids=" ".join)
async def test_without_a_command_the_help_is_shown(athenaeum: CommandLine, path: tuple[str, ...]) -> None:
    outcome = await athenaeum(*path)

    assert outcome.status == 2
    assert "Usage:" in outcome.out + outcome.err
    assert "athenaeum: " not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("nonsense", "No such command 'nonsense'"),
        ("--nonsense", "No such option: --nonsense"),
        ("docs nonsense", "No such command 'nonsense'"),
        ("events stats --nonsense", "No such option: --nonsense"),
        ("events stats more", "more"),
        ("events show", "Missing argument 'ID'"),
        ("events show abc", "'ID'"),
        ("events show 0", "'ID'"),
        ("events list --status lost", "'failed'"),
        ("events list --limit 0", "'--limit'"),
        ("events retry", "--all"),
        ("events retry 1 --all", "--all"),
        ("events drop", "--kind"),
        ("events drop --kind x --all", "--all"),
        ("events limits set few", "'N'"),
        ("ask", "Missing argument 'TEXT'"),
        ("docs add", "Missing argument 'SOURCE'"),
        ("demo --port 99999", "'--port'"),
        ("slack manifest --request-url http://here", "https://"),
    ],
)
async def test_a_wrong_call_is_one_line_and_status_2(athenaeum: CommandLine, arguments: str, words: str) -> None:
    outcome = await athenaeum(*arguments.split())

    assert outcome.status == 2
    assert outcome.out == ""
    assert words in outcome.complaint
    assert outcome.complaint.endswith(" --help")


@pytest.mark.parametrize("command", [("ask",), ("docs", "search"), ("demo", "--ask")], ids=" ".join)
async def test_an_empty_question_is_a_wrong_call(athenaeum: CommandLine, command: tuple[str, ...]) -> None:
    outcome = await athenaeum(*command, " ")

    assert outcome.status == 2
    assert outcome.complaint


def test_help_loads_none_of_the_heavy_libraries() -> None:
    code = (
        "import sys\nfrom athenaeum.cli import main\nsys.argv = ['athenaeum', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    print('loaded:', *sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not HEAVY & set(printed.partition("loaded:")[2].split())


def test_a_look_at_the_queue_does_not_load_the_agent() -> None:
    code = "import sys, athenaeum.wiring.database, athenaeum.events.admin\nprint(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not {"pydantic_ai", "anthropic", "onnxruntime", "slack_sdk", "fastapi"} & set(printed.split())


def test_a_process_without_mcp_servers_does_not_load_what_speaks_to_them() -> None:
    code = "import sys, athenaeum.wiring.process\nprint(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not {"mcp", "fastmcp"} & set(printed.split())
