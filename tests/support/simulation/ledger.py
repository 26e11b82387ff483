"""A world outside in which a plain handler leaves its mark under its fencing token, and what must hold of the marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from athenaeum.domain.event import Event
from athenaeum.errors import LeaseLost
from support.simulation.event_rows import FINISHED
from support.simulation.network import Reply
from support.simulation.processes import Process
from support.simulation.world import World


@dataclass(frozen=True, slots=True)
class Mark:
    """An effect that people can see."""

    name: str
    key: str | None
    token: int
    worker: str


@dataclass(slots=True)
class Request:
    """An event that somebody enqueues until it is acknowledged; times are steps of the loop."""

    name: str
    key: str | None
    begun: int = -1
    acknowledged: int = -1


class Ledger:
    """Takes marks in the order of their tokens, for each event."""

    fenced = True

    def __init__(self, world: World) -> None:
        self._world = world
        self.wrong: list[str] = []
        self.marks: list[Mark] = []
        self._newest: dict[str, int] = {}

    async def mark(self, process: Process, event: Event) -> None:
        """Leave a mark.

        Raises:
            LeaseLost: A newer token has left one.
        """
        name: str = event.payload["name"]

        def serve(reply: Reply) -> None:
            if self.fenced and self._newest.get(name, 0) > event.token:
                reply(None, LeaseLost(f"{name} is marked by token {self._newest[name]}"))
                return
            if any(row["payload"]["name"] == name for row in self._world.rows(FINISHED)):
                self.wrong.append(f"{name} was finished before {process.name} had done it")
            self._newest[name] = max(event.token, self._newest.get(name, 0))
            self.marks.append(Mark(name, event.payload["key"], event.token, process.name))
            reply(None, None)

        await self._world.network.exchange(process, lambda: f"mark {name}", serve, lost=lambda: OSError("no answer"))


def judge(marks: list[Mark], requests: list[Request]) -> Iterator[str]:
    """What is wrong: an effect of who had lost its lease, and events of one key out of order or at the same time."""
    newest: dict[str, int] = {}
    places: dict[str, list[int]] = {}
    for place, mark in enumerate(marks):
        if mark.token < newest.get(mark.name, 0):
            yield f"{mark.worker} marked {mark.name} under token {mark.token} after token {newest[mark.name]}"
        newest[mark.name] = max(mark.token, newest.get(mark.name, 0))
        places.setdefault(mark.name, []).append(place)
    seen = [request for request in requests if request.name in places]
    for one in seen:
        for other in seen:
            if one is other or one.key is None or one.key != other.key:
                continue
            first, second = places[one.name], places[other.name]
            if min(first) < min(second) <= max(first):
                yield f"{one.name} and {other.name} of one key were worked on at the same time"
            elif one.acknowledged < other.begun and min(first) > min(second):
                yield f"{other.name} came before {one.name}, which was enqueued before it"
