"""Processes of the product that come and go; each has a successor under the same settings."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.zygote import Forked, Role, Zygote

_FAREWELL_SECONDS = 30
"""More than drain, farewell and last words take together."""


@dataclass(slots=True)
class Fleet:
    """Any number of processes by role, kept at their number; what any of them says goes to a log of its own.

    Attributes:
        dismissed: Who was told to go, or killed.
        deserted: Who ended without having been told to; a supervisor would have started them again, as `man` does.
    """

    zygote: Zygote
    environment: Mapping[str, str]
    home: Path
    crew: dict[Role, list[Forked]] = field(default_factory=dict["Role", "list[Forked]"])
    dismissed: list[Forked] = field(default_factory=list[Forked])
    deserted: list[Forked] = field(default_factory=list[Forked])
    _logs: int = 0

    def man(self, **wanted: int) -> None:
        """Bring each role to its number."""
        for role, number in wanted.items():
            crew = self.crew.setdefault(role, [])  # pyright: ignore[reportArgumentType] - keywords are strings
            gone = [member for member in crew if not member.running]
            self.deserted += gone
            crew[:] = [member for member in crew if member.running]
            crew += [self.hire(role) for _ in range(number - len(crew))]  # pyright: ignore[reportArgumentType]

    def hire(self, role: Role, *arguments: str, log: Path | None = None) -> Forked:
        """Start one process, which belongs to nobody's number yet."""
        self._logs += 1
        log = log or self.home / f"{role}-{self._logs}.log"
        return self.zygote.fork(role, self.environment, log=log, arguments=arguments)

    def dismiss(self, role: Role, member: Forked, number: signal.Signals) -> None:
        """Tell a member to go, or kill it; it no longer counts."""
        self.crew[role].remove(member)
        self.dismissed.append(member)
        member.send(signal.SIGCONT)
        member.send(number)

    async def relieve(self, role: Role, member: Forked) -> None:
        """Tell a member to go once its successor runs, and wait until it has gone."""
        self.crew[role].append(self.hire(role))
        self.dismiss(role, member, signal.SIGTERM)
        async with asyncio.timeout(_FAREWELL_SECONDS):
            await member.ended()

    async def disband(self) -> None:
        """Tell everybody to go, and wait for it."""
        for role, crew in self.crew.items():
            for member in [*crew]:
                self.dismiss(role, member, signal.SIGTERM)
        async with asyncio.timeout(_FAREWELL_SECONDS):
            for member in self.dismissed:
                await member.ended()

    def account(self) -> str:
        """The end of what each of them said."""
        everybody = [*self.dismissed, *self.deserted, *(member for crew in self.crew.values() for member in crew)]
        told = {member.log.name: member.log.read_text(errors="replace") for member in everybody if member.log.exists()}
        return "\n".join(f"{name}:\n{said[-1500:]}" for name, said in sorted(told.items()))
