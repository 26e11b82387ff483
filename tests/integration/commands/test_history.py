from __future__ import annotations

import json
from pathlib import Path

from support.command_line import CommandLine
from support.slack_export import lantern, said


async def test_an_import_tells_what_it_did(athenaeum: CommandLine, tmp_path: Path) -> None:
    export = lantern()
    export.files["general/2024-02-01.json"] = [said("yesterday", "U0001", "no time")]
    path = str(export.zip(tmp_path / "export.zip"))

    tried = json.loads((await athenaeum("slack", "import", path, "--dry-run", "--json")).out)
    done = await athenaeum("slack", "import", path)
    again = json.loads((await athenaeum("slack", "import", path, "--json")).out)

    assert (tried["new"], tried["dry_run"], tried["quarantined"]) == (11, True, 1)
    assert (done.status, "13 messages: 11 new" in done.out) == (0, True)
    assert "quarantined general/2024-02-01.json, record 0: ts: not a timestamp" in done.err
    assert (again["files"], again["files_known"], again["new"]) == (0, 7, 0)


async def test_what_is_no_export_is_one_line(athenaeum: CommandLine, tmp_path: Path) -> None:
    outcome = await athenaeum("slack", "import", str(tmp_path / "missing.zip"))

    assert (outcome.status, "does not exist" in outcome.complaint) == (1, True)
