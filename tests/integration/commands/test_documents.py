from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command_line import CommandLine


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "leave.md").write_text("# Leave\n\n## Parental leave\n\nSixteen weeks, paid in full.\n")
    (folder / "travel.md").write_text("# Travel\n\nBook [trains] with the desk.\n")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    return folder


async def test_a_folder_is_added_found_and_removed(athenaeum: CommandLine, handbook: Path) -> None:
    added = await athenaeum("docs", "add", str(handbook))
    assert added.status == 0
    assert "2 added" in " ".join(added.out.split())  # a long path breaks its line
    assert "broken.pdf" in added.err

    again = json.loads((await athenaeum("docs", "add", str(handbook), "--json")).out)[0]
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 2)

    [passage, *_] = json.loads((await athenaeum("docs", "search", "parental leave", "--json")).out)
    assert "Sixteen weeks" in passage["text"]
    assert "[trains]" in (await athenaeum("docs", "search", "trains")).out

    assert "handbook" in (await athenaeum("docs", "list")).out
    assert (await athenaeum("docs", "remove", str(handbook))).out == "removed 2 documents\n"
    assert (await athenaeum("docs", "search", "parental leave")).out == "nothing found\n"


async def test_a_source_that_does_not_exist(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("docs", "add", "/nowhere")

    assert outcome.status == 1
    assert outcome.out == ""
    assert "/nowhere" in outcome.complaint


async def test_a_source_that_was_never_added(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("docs", "remove", "/nowhere")

    assert outcome.status == 1
    assert "docs list" in outcome.complaint


async def test_a_site_that_does_not_answer(athenaeum: CommandLine) -> None:
    outcome = await athenaeum("docs", "add", "http://127.0.0.1:1/")

    assert outcome.status == 1
    assert "127.0.0.1:1" in outcome.err


async def test_no_documents_yet(athenaeum: CommandLine) -> None:
    listed = await athenaeum("docs", "list")
    assert "athenaeum docs add" in listed.out
    assert (await athenaeum("docs", "sync")).status == 0
