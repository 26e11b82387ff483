"""What else is in the queue while it is measured."""

from __future__ import annotations

from dataclasses import dataclass

from bench.queue.peers.contract import Peer


@dataclass(frozen=True, slots=True)
class Scene:
    """A backlog or a past."""

    name: str
    waiting: int = 0
    finished: int = 0

    async def prepare(self, peer: Peer) -> None:
        """Make the queue anew, with what the scene has in it."""
        await peer.empty()
        if self.waiting:
            await peer.wait(self.waiting)
        if self.finished:
            await peer.finish(self.finished)


EMPTY = Scene("empty")


def waiting(count: int) -> Scene:
    return Scene(f"{count:,} waiting", waiting=count)


def finished(count: int) -> Scene:
    return Scene(f"{count:,} finished", finished=count)
