"""One worker or producer of a peer, in a process of its own, with its task on standard input."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.queue.peers import PEERS
from bench.queue.peers.contract import Addresses, Peer, Put
from bench.queue.record import Record

WARM = 20
"""Events at the beginning that count for nothing: connections open and plans are made."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a child does."""

    peer: str
    role: str
    """`work`, `rush` (as fast as it goes), `bulk`, `spaced` (one at a time, with pauses) or `paced`."""
    addresses: Addresses
    folder: str
    count: int
    clients: int = 1
    rate: float = 0
    """Events a second, of `spaced` and `paced`."""

    def dump(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def load(cls, line: str) -> Task:
        values = json.loads(line)
        addresses = Addresses(**values.pop("addresses"))
        return cls(**values, addresses=addresses)


async def _produce(task: Task, peer: Peer, record: Record) -> float:
    """Seconds that enqueueing took."""
    async with AsyncExitStack() as stack:
        if task.role == "bulk":
            began = time.perf_counter()
            await peer.bulk(task.count)
            return time.perf_counter() - began
        put = _noted(await stack.enter_async_context(peer.producer(task.clients)), record)
        if task.role == "rush":
            return await _rush(task, put)
        await _warm(put, record)
        await (_spaced if task.role == "spaced" else _paced)(task, put)
    return 0


def _noted(put: Put, record: Record) -> Put:
    async def put_noted(i: int) -> None:
        record.sent[i] = time.monotonic_ns()
        await put(i)
        record.committed[i] = time.monotonic_ns()

    return put_noted


async def _warm(put: Put, record: Record) -> None:
    """Until the worker has handled the first events, one after the other."""
    for i in range(WARM):
        await put(i)
        async with asyncio.timeout(60):
            while not record.started[i]:  # noqa: ASYNC110 - it is another process that starts it
                await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)


async def _rush(task: Task, put: Put) -> float:
    numbers = iter(range(task.count))

    async def client() -> None:
        for i in numbers:
            await put(i)

    for _ in range(WARM):  # opens the connections
        await asyncio.gather(*(put(next(numbers)) for _ in range(task.clients)))
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(task.clients):
            group.create_task(client())
    return time.perf_counter() - began


async def _spaced(task: Task, put: Put) -> None:
    pauses = random.Random(1)
    for i in range(WARM, task.count):
        await asyncio.sleep(pauses.uniform(0.5, 1.5) / task.rate)
        await put(i)


async def _paced(task: Task, put: Put) -> None:
    """At a fixed rate, whether or not the last one is through."""
    began = time.monotonic()

    async def client(i: int) -> None:
        await put(i)

    async with asyncio.TaskGroup() as group:
        for i in range(WARM, task.count):
            await asyncio.sleep(began + (i - WARM) / task.rate - time.monotonic())
            group.create_task(client(i))


def main() -> None:
    task = Task.load(sys.stdin.readline())
    record = Record(Path(task.folder), task.count)
    peer = PEERS[task.peer].open(task.addresses)
    if task.role == "work":
        peer.work(record)
        record.close()
        return
    seconds = asyncio.run(_produce(task, peer, record))
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
