"""The report as a person reads it."""

from __future__ import annotations

import statistics

from bench.queue.measures import MEASURES, Measure
from bench.queue.peers import OURS, PEERS
from bench.queue.report import Report
from bench.queue.scenes import EMPTY
from rich import box
from rich.console import Console
from rich.table import Table


def show(report: Report, console: Console) -> None:
    """Print a table a scene, with the verdicts in its last column, and who is missing and why."""
    for scene in report.scenes():
        console.print(_table(report, scene))
    for (peer, where), reason in report.missing.items():
        console.print(f"{PEERS[peer].title}, {where}: {reason}")
    for line in report.missed():
        console.print(f"MISSED: {line}", style="bold red")
    console.print(", ".join(f"{name} {value}" for name, value in report.machine.items()), style="dim")


def _table(report: Report, scene: str) -> Table:
    title = f"queue, {scene}: {report.events:,} events, medians of {report.rounds} rounds, least to most"
    table = Table("", "asked", "bare commits", title=title, title_justify="left", box=box.HORIZONTALS, show_lines=True)
    peers = report.peers()
    for peer in peers:
        table.add_column(PEERS[peer].title, justify="right", style="bold" if peer == OURS else "")
    table.add_column("ours to the best other")
    for name, measure in MEASURES.items():
        cells = [_cell(report, scene, name, peer) for peer in peers]
        if any(cells):
            start = (f"{measure.title} {measure.unit}", _asked(measure), _ceiling(report, measure))
            table.add_row(*start, *cells, _verdict(report, scene, name))
    return table


def _cell(report: Report, scene: str, name: str, peer: str) -> str:
    values = report.values.get((scene, name, peer))
    if not values:
        return ""
    measure = MEASURES[name]
    median = statistics.median(values)
    lines = [measure.number(median)]
    if len(values) > 1:
        lines.append(f"[dim]{measure.number(min(values))}–{measure.number(max(values))}[/dim]")  # noqa: RUF001 - a range
    empty = report.median(EMPTY.name, name, peer)
    if scene != EMPTY.name and empty:
        lines.append(f"{median / empty:.2f} x empty")
    return "\n".join(lines)


def _asked(measure: Measure) -> str:
    if measure.asked is None:
        return ""
    return f"{'>' if measure.unit == '/s' else '<'} {measure.asked:g}"


def _ceiling(report: Report, measure: Measure) -> str:
    values = report.ceilings.get(measure.ceiling)
    return measure.number(statistics.median(values)) if values else ""


def _verdict(report: Report, scene: str, name: str) -> str:
    verdict = report.verdict(scene, name)
    if verdict is None:
        return ""
    colour = "green" if verdict.place == "first" else "red"
    return f"[{colour}]{verdict.ratio:.2f} x, {verdict.place}[/{colour}]\n[dim]{PEERS[verdict.rival].title}[/dim]"
