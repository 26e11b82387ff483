"""Who is measured. A peer's module is imported when its turn comes, for its package may not be installed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from bench.queue.peers.contract import Addresses, Peer


@dataclass(frozen=True, slots=True)
class Entry:
    """A peer as the table names it, and where its class is."""

    title: str
    module: str
    class_name: str
    wakes: bool = True
    """Whether an enqueued event wakes a worker of another process."""
    rival: bool = True
    """Whether ours is compared with it."""

    def open(self, addresses: Addresses) -> Peer:
        """The peer.

        Raises:
            ModuleNotFoundError: Its package is not installed.
        """
        module = import_module(f"bench.queue.peers.{self.module}")
        peer: Peer = getattr(module, self.class_name)(addresses)
        return peer


PEERS = {
    "ours": Entry("Athenaeum", "athenaeum", "Athenaeum", rival=False),
    "ours-session": Entry("… caller's transaction", "athenaeum", "InTransaction", rival=False),
    "pgqueuer": Entry("PgQueuer", "pgqueuer", "PgQueuer"),
    "pgqueuer5": Entry("PgQueuer, 5 managers", "pgqueuer", "FiveManagers"),
    "procrastinate": Entry("Procrastinate", "procrastinate", "Procrastinate"),
    "celery": Entry("Celery on Redis", "celery", "Celery"),
    "polled": Entry("single row, polled", "polled", "Polled", wakes=False),
}
OURS = "ours"
