"""The report as a person reads it."""

from __future__ import annotations

import statistics

from bench.queue.peers import OURS, PEERS
from bench.queue.report import MEASURES, Measure, Report
from bench.queue.scenes import EMPTY
from rich.console import Console
from rich.table import Table


def show(report: Report, console: Console) -> None:
    """Print a table a scene, the verdicts in its last column, and who is missing."""
    for scene in report.scenes():
        console.print(_table(report, scene))
    for peer, reason in report.missing.items():
        console.print(f"{PEERS[peer].title}: {reason}")
    console.print(", ".join(f"{name} {value}" for name, value in report.machine.items()), style="dim")


def _table(report: Report, scene: str) -> Table:
    title = f"queue: {scene}, {report.events:,} events, median of {report.rounds} rounds (least to most)"
    table = Table("", "ceiling", title=title, title_justify="left", show_lines=True)
    peers = report.peers()
    for peer in peers:
        table.add_column(PEERS[peer].title, justify="right", style="bold" if peer == OURS else "")
    table.add_column("ours to the best other")
    for name, measure in MEASURES.items():
        cells = [_cell(report, scene, name, peer) for peer in peers]
        if any(cells):
            table.add_row(measure.title, _ceiling(report, measure), *cells, _verdict(report, scene, name))
    return table


def _cell(report: Report, scene: str, name: str, peer: str) -> str:
    values = report.values.get((scene, name, peer))
    if not values:
        return ""
    median = statistics.median(values)
    lines = [_number(median, MEASURES[name])]
    if len(values) > 1:
        lines.append(f"({_number(min(values), MEASURES[name])} to {_number(max(values), MEASURES[name])})")
    empty = report.median(EMPTY.name, name, peer)
    if scene != EMPTY.name and empty:
        lines.append(f"{median / empty:.2f} of empty")
    return "\n".join(lines)


def _ceiling(report: Report, measure: Measure) -> str:
    values = report.ceilings.get(measure.ceiling)
    return f"{statistics.median(values):,.0f}" if values else ""


def _verdict(report: Report, scene: str, name: str) -> str:
    verdict = report.verdict(scene, name)
    if verdict is None:
        return ""
    place = "first" if verdict.first else "behind"
    return f"{verdict.ratio:.2f} x {PEERS[verdict.rival].title}: {place}"


def _number(value: float, measure: Measure) -> str:
    return f"{value:,.0f}" if measure.unit == "/s" else f"{value:.2f}"
