"""The figures of a run and what they say: medians, ranges, and who is first in what."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.queue.measures import MEASURES
from bench.queue.peers import OURS, PEERS


@dataclass(frozen=True, slots=True)
class Verdict:
    """How ours stands: `ratio` times better than the best of the others, which is `rival`."""

    ratio: float
    rival: str
    margin: float

    @property
    def place(self) -> str:
        if self.ratio < 1:
            return "behind"
        return "first" if self.ratio >= self.margin else f"first, by less than {self.margin:g}"


@dataclass(slots=True)
class Report:
    """Every figure of a run, by scene, measure and peer, a value a round."""

    events: int
    rounds: int = 0
    machine: dict[str, str] = field(default_factory=dict[str, str])
    values: dict[tuple[str, str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    ceilings: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Why there are no figures, by peer and where: nowhere at all, or in a trial of a scene."""

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
        rivals = {
            peer: median
            for peer, entry in PEERS.items()
            if entry.rival
            and (entry.wakes or not kind.only_waking)
            and (median := self.median(scene, measure, peer)) is not None
        }
        if mine is None or not rivals or kind.margin is None:
            return None
        ratio, rival = min((kind.better(mine, median), peer) for peer, median in rivals.items())
        return Verdict(ratio, rival, kind.margin)

    def missed(self) -> list[str]:
        """The trials that ours did not get through, and the measures in which it is not what the requirements ask."""
        return [where for peer, where in self.missing if peer == OURS] + [
            f"{measure.title}, {scene}"
            for scene in self.scenes()
            for name, measure in MEASURES.items()
            if (mine := self.median(scene, name, OURS)) is not None and not measure.met(mine)
        ]

    def scenes(self) -> list[str]:
        return list(dict.fromkeys(scene for scene, _, _ in self.values))

    def peers(self) -> list[str]:
        return [peer for peer in PEERS if any(peer == name for _, _, name in self.values)]

    def write(self, path: Path) -> None:
        """Every value and verdict as JSON."""
        figures = [
            {"scene": scene, "measure": measure, "peer": peer, "unit": MEASURES[measure].unit, "values": values}
            for (scene, measure, peer), values in self.values.items()
        ]
        verdicts = [
            {"scene": scene, "measure": measure, "place": found.place, **asdict(found)}
            for scene in self.scenes()
            for measure in MEASURES
            if (found := self.verdict(scene, measure))
        ]
        run = {"events": self.events, "rounds": self.rounds, "machine": self.machine, "ceilings": self.ceilings}
        missing = [{"peer": peer, "where": where, "reason": why} for (peer, where), why in self.missing.items()]
        document = {**run, "figures": figures, "verdicts": verdicts, "missing": missing}
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
