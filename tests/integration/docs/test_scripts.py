"""Scripts and templates that a page gives its reader do what it says."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from athenaeum.agent import prompts
from athenaeum.agent.prompts import Prompts, Setting
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId
from athenaeum.errors import Misconfigured
from athenaeum.tenants.personas import persona_for
from support.documentation import ROOT, Page, spans

_PERSONA = Page(ROOT / "docs" / "guides" / "persona.md")
_SLACKSIM = Page(ROOT / "docs" / "reference" / "slacksim.md")


async def test_the_script_for_personas_sets_them(database_url: str, tmp_path: Path) -> None:
    assert await _run(_PERSONA.blocks("python")[0], tmp_path, {"DATABASE_URL": database_url}) == 0

    async with DatabaseConnection(database_url) as database, database.session(DEFAULT_TENANT) as session:
        everywhere = await persona_for(session, ChannelId("C1"))
        there = await persona_for(session, ChannelId("C0123456789"))

    assert (everywhere.name, everywhere.role, everywhere.instructions) == ("Ada", "the platform team's guide", "")
    assert (there.name, there.instructions) == ("Ada", "Answer in German.")


async def test_the_script_for_slacksim_gives_a_client_that_is_answered(tmp_path: Path) -> None:
    source = _SLACKSIM.blocks("python")[0] + '    assert (await client.auth_test())["team"]\n'
    main = "".join(f"    {line}\n" for line in source.splitlines())

    assert await _run(f"import asyncio\nasync def main():\n{main}\nasyncio.run(main())", tmp_path, {}) == 0


def test_the_page_of_personas_names_every_template_and_what_it_may_name(tmp_path: Path) -> None:
    table = _PERSONA.table("file")

    assert [name for row in table for name in spans(row[0])] == [
        prompts.SYSTEM,
        prompts.CONTEXT,
        prompts.HELP,
        prompts.QUESTIONS,
    ]
    for row in table:
        own = [name for name in spans(row[2]) if name.isidentifier()]
        named = "".join(f"{{{{ {name} }}}}" for name in [*Setting.__dataclass_fields__, *own])
        (tmp_path / spans(row[0])[0]).write_text(named, encoding="utf-8")
    Prompts(tmp_path)
    assert set(Setting.__dataclass_fields__) <= set(_PERSONA.code)


def test_a_broken_template_stops_the_start_with_the_line_that_the_page_shows(tmp_path: Path) -> None:
    shown = _PERSONA.blocks("")[-1].strip()
    (tmp_path / prompts.SYSTEM).write_text("You are {{ persona.nam }}.", encoding="utf-8")

    with pytest.raises(Misconfigured) as caught:
        Prompts(tmp_path)
    assert shown == f"athenaeum: …/templates/{str(caught.value).removeprefix(f'{tmp_path}/')}"


async def _run(source: str, folder: Path, environment: dict[str, str]) -> int:
    script = folder / "script.py"
    script.write_text(source, encoding="utf-8")
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, script), env={**os.environ, **environment}, cwd=folder
    )
    async with asyncio.timeout(60):
        return await running.wait()
