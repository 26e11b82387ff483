from __future__ import annotations

from pathlib import Path
from typing import Any

from athenaeum.config import Config
from athenaeum.diagnostics import Finding, Verdict, mcp
from support.tool_server import ToolServer, approving, definition, write_file


async def look(folder: Path, **file: dict[str, Any]) -> list[Finding]:
    return await mcp.look(Config(mcp_config=write_file(folder, **file)))


async def test_nothing_is_said_where_no_server_is_named() -> None:
    assert await mcp.look(Config()) == []


async def test_each_server_has_a_finding_with_its_mend(tmp_path: Path) -> None:
    async with ToolServer() as server:
        found = await look(
            tmp_path,
            fine=approving(definition(), url=server.url),
            new=approving(url=server.url),
            changed=approving(definition(description="Another."), definition("close_issue"), url=server.url),
            far={"url": "http://127.0.0.1:1/mcp"},
            off={"url": "http://127.0.0.1:1/mcp", "disabled": True},
        )

    assert [(one.status, one.detail) for one in found] == [
        (Verdict.OK, "fine: tools that are offered: 1 of 1"),
        (Verdict.WARNING, "new: none of its 1 tools is approved"),
        (Verdict.WARNING, "changed: not offered any more: search_issues (changed), close_issue (gone)"),
        (Verdict.FAULT, "far: All connection attempts failed"),
    ]
    assert "athenaeum mcp tools changed" in str(found[2].mend)
    assert all(one.mend for one in found[1:])


async def test_a_broken_file_is_a_fault(tmp_path: Path) -> None:
    (found,) = await look(tmp_path, s={"url": "issues.example"})

    assert (found.status, "give an https:// address" in found.detail) == (Verdict.FAULT, True)
