"""Rounds: in each, every peer has its turn at every trial, so that a slow spell of the machine meets all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.queue.machine import Site
from bench.queue.peers import PEERS
from bench.queue.peers.contract import Peer
from bench.queue.processes import ChildError
from bench.queue.report import Report
from bench.queue.scenes import Scene
from bench.queue.trials import OF_A_BACKLOG, TRIALS, Trial
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_CLIENTS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is measured in what, and how often."""

    peers: Sequence[str]
    trials: Sequence[str]
    scenes: Sequence[Scene]
    events: int
    rounds: int

    def of(self, scene: Scene) -> list[str]:
        """The trials of a scene."""
        return [name for name in self.trials if not scene.waiting or name in OF_A_BACKLOG]

    @property
    def steps(self) -> int:
        return self.rounds * len(self.peers) * sum(len(self.of(scene)) for scene in self.scenes)


async def play(plan: Plan, site: Site, report: Report) -> None:
    """Measure all of the plan."""
    report.machine |= await site.describe()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=plan.steps)
        for number in range(1, plan.rounds + 1):
            report.rounds = number
            for clients in _CLIENTS:
                if rate := await site.commits(clients):
                    report.ceilings[f"commits{clients}"].append(rate)
            for scene in plan.scenes:
                for trials in _turns(plan.of(scene), scene):
                    for name in plan.peers:
                        progress.update(bar, description=f"round {number}, {scene.name}: {PEERS[name].title}")
                        await _measure(name, scene, trials, site=site, report=report)
                        progress.advance(bar, len(trials))


def _turns(trials: Sequence[str], scene: Scene) -> list[Sequence[str]]:
    """Trials that a peer has in one turn: one, or all where the scene takes long to set."""
    return [trials] if scene.waiting or scene.finished else [[trial] for trial in trials]


async def _measure(name: str, scene: Scene, trials: Sequence[str], *, site: Site, report: Report) -> None:
    try:
        peer = _open(name, site)
    except _AbsentError as error:
        report.missing[name, "everywhere"] = str(error)
        return
    async with peer:
        await scene.prepare(peer)
        await site.checkpoint()
        for trial in trials:
            try:
                figures = await TRIALS[trial](Trial(site, scene, name, peer, report.events))
            except ChildError as error:
                report.missing[name, f"{trial}, {scene.name}"] = str(error)
            else:
                report.add(scene.name, name, figures)
        await peer.empty()


class _AbsentError(Exception):
    pass


def _open(name: str, site: Site) -> Peer:
    try:
        peer = PEERS[name].open(site.addresses)
    except ModuleNotFoundError as error:
        raise _AbsentError(f"{error.name} is not installed: pip install -r bench/requirements.txt") from error
    if name == "celery" and not site.addresses.redis:
        raise _AbsentError("redis-server is not installed")
    return peer
