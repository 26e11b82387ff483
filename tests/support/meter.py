"""What turns cost: CPU seconds by kind of process, commits, log and disk; contention does not change these much."""

from __future__ import annotations

import os
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from time import monotonic
from typing import LiteralString

import psycopg

from athenaeum.database.embedded import EmbeddedPostgres
from support.embedded import postmaster_of
from support.fleet import Fleet

_TICKS = os.sysconf("SC_CLK_TCK")
_COUNTS: LiteralString = """
    SELECT xact_commit::float AS commits, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float / 1024 AS wal_kb,
           pg_database_size(current_database())::float / 1024 AS disk_kb
    FROM pg_stat_database WHERE datname = current_database()
"""
_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'athenaeum'"


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of CPU, commits, and kilobytes."""

    worker_ms: float
    gateway_ms: float
    postgres_ms: float
    commits: float
    wal_kb: float
    disk_kb: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(ours - theirs for ours, theirs in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, factor: float) -> Cost:
        return Cost(*(each * factor for each in astuple(self)))

    def __truediv__(self, parts: float) -> Cost:
        return self * (1 / parts)

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:.1f}" for name, value in asdict(self).items())


class Span:
    """What a fleet and its server spend from the making of this to its end; nobody may come or go meanwhile."""

    def __init__(self, server: EmbeddedPostgres, fleet: Fleet) -> None:
        self._read = lambda: _total(server, fleet)
        self._before = self._after = self._read()
        self._began = monotonic()
        self.seconds = 0.0

    def end(self) -> None:
        self._after, self.seconds = self._read(), monotonic() - self._began

    def cost(self) -> Cost:
        return self._after - self._before

    def beyond(self, idle: Span) -> Cost:
        """What was spent more than if nothing had happened."""
        return self.cost() - idle.cost() * (self.seconds / idle.seconds)


def sessions(server: EmbeddedPostgres) -> int:
    """How many connections the product has open."""
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        [count] = connection.execute(_SESSIONS).fetchone() or (0,)
    return count


def _total(server: EmbeddedPostgres, fleet: Fleet) -> Cost:
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        commits, wal_kb, disk_kb = connection.execute(_COUNTS).fetchone() or (0.0, 0.0, 0.0)
    workers, gateways = (sum(_cpu_ms(member.pid) for member in fleet.crew[role]) for role in ("worker", "gateway"))
    return Cost(workers, gateways, _server_ms(postmaster_of(server.data_dir)), commits, wal_kb, disk_kb)


def _server_ms(postmaster: int) -> float:
    """CPU of the postmaster, of its children, and of those that it has buried."""
    children = [
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if (stat := _stat(int(process.name))) and int(stat[1]) == postmaster
    ]
    buried = sum(int(ticks) for ticks in (_stat(postmaster) or ["0"] * 16)[13:15]) * 1000 / _TICKS
    return _cpu_ms(postmaster) + buried + sum(map(_cpu_ms, children))


def _cpu_ms(pid: int) -> float:
    """User and system time of all threads."""
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) * 1000 / _TICKS if stat else 0.0


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none when the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
