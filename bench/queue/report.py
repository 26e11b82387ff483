"""The figures of a run and what they say: medians, ranges, and who is first in what."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.queue.peers import OURS, PEERS


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table."""

    title: str
    unit: str
    """`/s`, of which more is better, or `ms`, of which less is."""
    only_waking: bool = False
    """Whether a peer whose workers are not woken is out of the contest: it saves what waking costs."""
    ceiling: str = ""
    """What bounds it: the name of another figure."""
    contested: bool = True

    def better(self, mine: float, other: float) -> float:
        """How many times better `mine` is."""
        return mine / other if self.unit == "/s" else other / mine


MEASURES = {
    "drain": Measure("draining, all durable", "/s", ceiling="commits10"),
    "pace": Measure("draining, start to start", "/s", contested=False),
    "enqueue1": Measure("enqueueing, one by one", "/s", only_waking=True, ceiling="commits1"),
    "enqueue10": Measure("enqueueing, 10 clients", "/s", only_waking=True, ceiling="commits10"),
    "bulk": Measure("enqueueing in bulk", "/s", only_waking=True),
    "idle_p50": Measure("idle: commit to start, p50", "ms"),
    "idle_p99": Measure("idle: commit to start, p99", "ms"),
    "idle_call_p50": Measure("idle: call to start, p50", "ms", contested=False),
    "paced_p50": Measure("at 200/s: commit to start, p50", "ms"),
    "paced_p99": Measure("at 200/s: commit to start, p99", "ms"),
    "claim_p50": Measure("claim under load, p50", "ms"),
    "claim_p99": Measure("claim under load, p99", "ms"),
    "rows": Measure("events a claim", "", contested=False),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How ours stands: `ratio` times the best of the others, which is `rival`."""

    ratio: float
    rival: str

    @property
    def first(self) -> bool:
        return self.ratio > 1


@dataclass(slots=True)
class Report:
    """Every figure of a run, by scene, measure and peer, a value a round."""

    events: int
    rounds: int
    machine: Mapping[str, str]
    values: dict[tuple[str, str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    ceilings: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[str, str] = field(default_factory=dict[str, str])
    """Why a peer, or one of its trials, has no figures."""

    def add(self, scene: str, peer: str, figures: Mapping[str, float]) -> None:
        for measure, value in figures.items():
            self.values[scene, measure, peer].append(value)

    def median(self, scene: str, measure: str, peer: str) -> float | None:
        values = self.values.get((scene, measure, peer))
        return statistics.median(values) if values else None

    def verdict(self, scene: str, measure: str) -> Verdict | None:
        """Ours beside the best of the others; None where there is nobody to compare it with."""
        kind = MEASURES[measure]
        mine = self.median(scene, measure, OURS)
        others = {
            peer: median
            for peer, entry in PEERS.items()
            if peer != OURS
            and (entry.wakes or not kind.only_waking)
            and (median := self.median(scene, measure, peer)) is not None
        }
        if mine is None or not others or not kind.contested:
            return None
        ratio, rival = min((kind.better(mine, median), peer) for peer, median in others.items())
        return Verdict(ratio, rival)

    def scenes(self) -> list[str]:
        return list(dict.fromkeys(scene for scene, _, _ in self.values))

    def peers(self) -> list[str]:
        return [peer for peer in PEERS if peer in self.missing or any(peer == name for _, _, name in self.values)]

    def write(self, path: Path) -> None:
        """Every value and verdict as JSON."""
        figures = [
            {"scene": scene, "measure": measure, "peer": peer, "unit": MEASURES[measure].unit, "values": values}
            for (scene, measure, peer), values in self.values.items()
        ]
        verdicts = [
            {"scene": scene, "measure": measure, "ratio": found.ratio, "rival": found.rival, "first": found.first}
            for scene in self.scenes()
            for measure in MEASURES
            if (found := self.verdict(scene, measure))
        ]
        run = {"events": self.events, "rounds": self.rounds, "machine": self.machine, "ceilings": self.ceilings}
        document = {**run, "figures": figures, "verdicts": verdicts, "missing": self.missing}
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
