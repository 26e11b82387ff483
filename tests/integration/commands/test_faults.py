from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from support.command_line import PROGRAM, CommandLine
from support.relay import Relay

NOWHERE = "postgresql://nobody:secret@127.0.0.1:1/none"
SHORT = ["ask hello", "docs add .", "docs search x", "events stats", "events drop 1", "db check", "db migrate"]


@pytest.mark.parametrize("command", SHORT)
async def test_a_short_command_does_not_wait_for_a_database(athenaeum: CommandLine, command: str) -> None:
    outcome = await athenaeum(*command.split(), DATABASE_URL=NOWHERE)

    assert outcome.status == 1
    assert outcome.out == ""
    assert "cannot reach PostgreSQL at 127.0.0.1:1" in outcome.complaint
    assert "DATABASE_URL" in outcome.complaint
    assert "secret" not in outcome.err


@pytest.mark.parametrize("address", ["postgresql://[bad", "postgresql://h:port/x"])
async def test_an_address_that_cannot_be_read(athenaeum: CommandLine, address: str) -> None:
    outcome = await athenaeum("events", "stats", DATABASE_URL=address)

    assert outcome.status == 1
    assert "DATABASE_URL" in outcome.complaint


@pytest.mark.parametrize(
    ("command", "statement"),
    [
        ("events stats", "GROUP BY kind"),
        ("events list", "ORDER BY"),
        ("docs list", "document_sources"),
        ("docs search x", "passages"),
        ("db check", "alembic_version"),
    ],
)
async def test_a_database_that_stops_in_the_middle(
    athenaeum: CommandLine, database_url: str, command: str, statement: str
) -> None:
    async with Relay(database_url, fatal=statement) as relay:
        outcome = await athenaeum(*command.split(), DATABASE_URL=relay.url)

    assert outcome.status == 1
    assert outcome.out == ""
    assert outcome.complaint


async def test_a_database_that_says_nothing(athenaeum: CommandLine) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        outcome = await athenaeum("events", "stats", DATABASE_URL=f"postgresql://nobody@127.0.0.1:{port}/none")

    assert outcome.status == 1
    assert "cannot reach PostgreSQL" in outcome.complaint


async def test_every_setting_that_is_wrong_is_named_at_once(athenaeum: CommandLine) -> None:
    wrong = {"WORKER_POOL_SIZE": "many", "ATHENAEUM_PORT": "99999", "SLACK_BOT_TOKEN": "none", "DATABASE_URL": "x://"}

    outcome = await athenaeum("events", "stats", **wrong)

    assert outcome.status == 1
    lines = outcome.err.splitlines()
    assert len(lines) == len(wrong)
    for line, variable in zip(sorted(lines), sorted(wrong), strict=True):
        assert line.startswith(f"athenaeum: {variable}: ")


async def test_a_file_of_settings_that_is_no_text(athenaeum: CommandLine) -> None:
    (athenaeum.directory / ".env").write_bytes(b"ATHENAEUM_PORT=\xff\xfe\n")

    outcome = await athenaeum("events", "stats")

    assert outcome.status == 1
    assert ".env" in outcome.complaint


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
async def test_a_home_that_cannot_be(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("events", "stats", ATHENAEUM_HOME="/proc/nowhere", DATABASE_URL="")

    assert outcome.status == 1
    assert "ATHENAEUM_HOME" in outcome.complaint


async def test_a_reader_that_goes_away_is_no_fault(athenaeum: CommandLine, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "slack", "manifest", stdout=writing, stderr=asyncio.subprocess.PIPE, cwd=tmp_path
    )
    os.close(writing)
    _, complaints = await process.communicate()

    assert complaints == b""
