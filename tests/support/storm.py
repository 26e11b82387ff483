"""Disasters drawn by a seed: the same seed draws the same ones; what they meet is never quite the same."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import get_args

from slacksim.faults import Fault, Mode
from support.anthropic_server import BreaksOff, Fails
from support.town import Town
from support.zygote import Forked, Role

LEASE_SECONDS = 2
_FROZEN_SECONDS = 1.5 * LEASE_SECONDS
_MANNED_EVERY_SECONDS = 0.2
_METHODS = ("chat.postMessage", "chat.update", "conversations.replies", "*")
_MODEL_FAULTS = (Fails(529, "overloaded_error"), Fails(500, "api_error"), BreaksOff("This is", "reset"))


@dataclass(frozen=True, slots=True)
class Disaster:
    """What happens when; `choice`, from 0 to 1, says to whom or how."""

    at: float
    kind: str
    choice: float

    def __str__(self) -> str:
        return f"{self.at:.2f} s {self.kind} {self.choice:.3f}"


class Storm:
    """Strikes a town for a while, and leaves it with everybody awake, nobody missing and no fault planned."""

    def __init__(self, town: Town, seed: int, *, workers: int, gateways: int) -> None:
        self._town = town
        self._random = random.Random(seed)
        self._numbers = {"worker": workers, "gateway": gateways}
        self.disasters: list[Disaster] = []
        # Some workspaces would take the same message twice.
        town.sim.simulation.faults.client_msg_ids_count = seed % 2 == 0
        self._kinds: dict[str, tuple[int, Callable[[float], Awaitable[None]]]] = {
            "kill a worker": (4, lambda choice: self._kill("worker", choice)),
            "kill a gateway": (2, lambda choice: self._kill("gateway", choice)),
            "freeze a worker": (4, lambda choice: self._freeze("worker", choice)),
            "freeze a gateway": (1, lambda choice: self._freeze("gateway", choice)),
            "relieve a worker": (3, lambda choice: self._relieve("worker", choice)),
            "relieve a gateway": (1, lambda choice: self._relieve("gateway", choice)),
            "restart the database": (1, lambda _: town.outage.restart()),
            "crash the database": (1, lambda _: town.outage.crash()),
            "kill a session": (1, town.outage.kill_backend),
            "kill a writer": (1, town.outage.kill_child),
            "cut all sessions": (2, lambda _: town.outage.cut()),
            "disturb Slack": (5, self._disturb_slack),
            "move the sockets": (1, self._move_sockets),
            "disturb the model": (2, self._disturb_model),
        }

    async def rage(self, seconds: float, *, every: float) -> None:
        """Strike for so long, on average once `every` so many seconds."""
        self.disasters = [*self._forecast(seconds, every)]
        async with asyncio.TaskGroup() as group:
            supervisor = group.create_task(self._supervise())
            async with asyncio.TaskGroup() as strikes:
                for disaster in self.disasters:
                    strikes.create_task(self._strike(disaster))
            supervisor.cancel()
        self._town.fleet.man(**self._numbers)
        self._town.sim.simulation.faults.planned.clear()
        self._town.model.script.clear()

    def _forecast(self, seconds: float, every: float) -> Iterator[Disaster]:
        kinds = [*self._kinds]
        weights = [weight for weight, _ in self._kinds.values()]
        at = self._random.expovariate(1 / every)
        while at < seconds:
            yield Disaster(at, self._random.choices(kinds, weights)[0], self._random.random())
            at += self._random.expovariate(1 / every)

    async def _strike(self, disaster: Disaster) -> None:
        await asyncio.sleep(disaster.at)
        await self._kinds[disaster.kind][1](disaster.choice)

    async def _supervise(self) -> None:
        while True:
            self._town.fleet.man(**self._numbers)
            await asyncio.sleep(_MANNED_EVERY_SECONDS)

    def _pick(self, role: Role, choice: float) -> Forked | None:
        crew = self._town.fleet.crew[role]
        return crew[int(choice * len(crew))] if crew else None

    async def _kill(self, role: Role, choice: float) -> None:
        if member := self._pick(role, choice):
            self._town.fleet.dismiss(role, member, signal.SIGKILL)

    async def _freeze(self, role: Role, choice: float) -> None:
        if member := self._pick(role, choice):
            member.send(signal.SIGSTOP)
            await asyncio.sleep(_FROZEN_SECONDS)
            member.send(signal.SIGCONT)

    async def _relieve(self, role: Role, choice: float) -> None:
        if member := self._pick(role, choice):
            await self._town.fleet.relieve(role, member)

    async def _disturb_slack(self, choice: float) -> None:
        modes: tuple[Mode, ...] = get_args(Mode)
        chance = random.Random(choice)
        fault = Fault(chance.choice(_METHODS), chance.choice(modes), times=chance.randint(1, 3), seconds=2)
        self._town.sim.simulation.faults.plan(fault)

    async def _move_sockets(self, _choice: float) -> None:
        self._town.sim.simulation.sockets.disconnect("refresh_requested")

    async def _disturb_model(self, choice: float) -> None:
        self._town.model.script.append(_MODEL_FAULTS[int(choice * len(_MODEL_FAULTS))])
