"""`athenaeum doctor`: what is wrong, and what mends it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from athenaeum.commands.console import err, out, run, show_json
from athenaeum.config import Config
from athenaeum.observability.logging import configure_logging

if TYPE_CHECKING:
    from collections.abc import Sequence

    from athenaeum.diagnostics import Finding

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "bold red")}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Look at everything, and name the command or setting that mends each fault.

    Exit status 0 when there is no fault; warnings are none.

    Example: athenaeum doctor
    """
    configure_logging(level="ERROR")  # what a check finds stands in its finding
    findings = run(_examine())
    sound = all(finding.status != "fault" for finding in findings)
    if as_json:
        show_json({"ok": sound, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if not sound:
        raise typer.Exit(1)


async def _examine() -> list[Finding]:
    from athenaeum.diagnostics import examine

    with err.status("Looking at everything…"):
        return await examine(Config())


def _print(findings: Sequence[Finding]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = _MARKS[finding.status.value]
        table.add_row(Text(mark, style), finding.subject, Text(finding.detail))
        if finding.mend is not None:
            table.add_row("", "", Text(f"→ {finding.mend}", "cyan"))
    out.print(table)
    out.print(f"\n{_summary(findings)}")


def _summary(findings: Sequence[Finding]) -> str:
    counts = {kind: sum(finding.status == kind for finding in findings) for kind in ("fault", "warning")}
    told = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items() if count]
    return ", ".join(told) or "all is well"
