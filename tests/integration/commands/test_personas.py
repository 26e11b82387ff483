from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from athenaeum.conversations.archive import channels
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, UserId
from athenaeum.domain.tenant import Persona
from athenaeum.tenants.personas import persona_for
from support.command_line import CommandLine
from support.tool_server import SEARCH, approving, definition, write_file

SUPPORT = ChannelId("C0SUPPORT")


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as opened:
        async with opened.session(DEFAULT_TENANT) as session:
            await channels.meet(session, SUPPORT, ChannelKind.PUBLIC)
            await channels.rename(session, SUPPORT, "support", at=datetime.now(UTC))
        yield opened


async def _persona(database: DatabaseConnection, channel: str | None = None, user: str | None = None) -> Persona:
    async with database.session(DEFAULT_TENANT) as session:
        return await persona_for(session, ChannelId(channel) if channel else None, UserId(user) if user else None)


async def test_a_channel_and_a_person_override_the_workspace(
    athenaeum: CommandLine, database: DatabaseConnection
) -> None:
    assert (await athenaeum("personas", "set", "--name", "Mara", "--role", "guide")).out == "set\n"
    assert (await athenaeum("personas", "set", "--channel", "#support", "--role", "support")).out == "set\n"
    assert (await athenaeum("personas", "set", "--user", "U0001", "--instructions", "Be brief.")).out == "set\n"

    assert await _persona(database, SUPPORT, "U0001") == Persona(name="Mara", role="support", instructions="Be brief.")
    shown = json.loads((await athenaeum("personas", "show", "--channel", "support", "--json")).out)
    assert (shown["name"], shown["role"], shown["tools"]) == ("Mara", "support", None)
    faces = json.loads((await athenaeum("personas", "show", "--json")).out)
    assert [(face["channel"], face["user"]) for face in faces] == [(None, None), (None, "U0001"), (SUPPORT, None)]
    assert "Be brief." in (await athenaeum("personas", "show")).out


async def test_overrides_are_taken_back_by_field_or_all_together(
    athenaeum: CommandLine, database: DatabaseConnection
) -> None:
    await athenaeum("personas", "set", "--name", "Mara", "--role", "guide", "--tool", "search_documents")
    assert (await _persona(database)).tools == ("search_documents",)

    assert (await athenaeum("personas", "unset", "--field", "tools", "--field", "role")).out == "unset\n"
    assert await _persona(database) == Persona(name="Mara")
    assert (await athenaeum("personas", "unset")).out == "unset\n"
    assert await _persona(database) == Persona()
    assert "personas show" in (await athenaeum("personas", "unset")).complaint
    audited: list[dict[str, Any]] = json.loads((await athenaeum("audit", "list", "--json")).out)
    assert [entry["deed"] for entry in audited] == ["persona.changed"] * 3


async def test_a_template_of_a_workspaces_own_is_tried_before_it_is_kept(
    athenaeum: CommandLine, database: DatabaseConnection, tmp_path: Path
) -> None:
    good, broken, hostile = tmp_path / "good.j2", tmp_path / "broken.j2", tmp_path / "hostile.j2"
    good.write_text("You are {{ persona.name }} of {{ company_name }} ({{ domain_areas | join(', ') }}).")
    broken.write_text("Hello\n{{ user_nam }}")
    hostile.write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")

    refused = await athenaeum("personas", "set", "--system-template", str(broken))
    assert refused.status == 1
    assert refused.complaint == "the persona's system.md.j2, line 2: 'user_nam' is undefined"
    assert "unsafe" in (await athenaeum("personas", "set", "--context-template", str(hostile))).complaint
    assert await _persona(database) == Persona()

    assert (await athenaeum("personas", "set", "--system-template", str(good))).status == 0
    assert (await _persona(database)).system_template == good.read_text()


@pytest.mark.parametrize(
    ("given", "mend"),
    [
        (("--tool", "rm"), "there is no tool 'rm': there are read_period, search_documents, search_messages"),
        (("--model", "nobody:nothing"), "docs/guides/models.md"),
        (("--model", "anthropic:claude"), "ANTHROPIC_API_KEY"),
        (("--name", "x", "--channel", "nowhere"), "athenaeum channels list"),
        (("--name", "x", "--tenant", "Nobody"), "no tenant is called 'Nobody'"),
    ],
)
async def test_what_cannot_work_is_refused_in_one_line(
    athenaeum: CommandLine, database: DatabaseConnection, given: tuple[str, ...], mend: str
) -> None:
    outcome = await athenaeum("personas", "set", *given)

    assert outcome.status == 1
    assert mend in outcome.complaint
    assert await _persona(database) == Persona()


async def test_nothing_given_is_a_wrong_call(athenaeum: CommandLine) -> None:
    assert (await athenaeum("personas", "set")).status == 2
    assert "a persona has no field 'colour'" in (await athenaeum("personas", "unset", "--field", "colour")).complaint
    assert (await athenaeum("personas", "show")).out == "nothing is overridden\n"


async def test_a_tool_of_another_server_may_be_named_as_soon_as_it_is_approved(
    athenaeum: CommandLine, database: DatabaseConnection
) -> None:
    file = write_file(athenaeum.directory, tracker=approving(definition(), url="https://tracker.example/mcp"))
    named = ("personas", "set", "--tool", f"tracker__{SEARCH}")

    assert "there is no tool" in (await athenaeum(*named)).complaint
    assert (await athenaeum(*named, ATHENAEUM_MCP_CONFIG=str(file))).out == "set\n"
