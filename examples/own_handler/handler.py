"""A worker of one's own, without Slack: `handler.py put Ada Grace` fills the queue, `handler.py work` works."""

from __future__ import annotations

import asyncio
import os
import sys

from athenaeum import NewEvent, Producer, WorkerPool, init_db
from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.errors import Refused, RetryLater


def greet(event: Event) -> None:  # returning completes the event
    if not (name := event.payload["name"]):
        raise Refused("nobody to greet")  # fails at once, and is kept with this message
    if name == "Godot":
        raise RetryLater("not here yet")  # is tried again, later and later
    print(f"Hello, {name}!", flush=True)


async def main(command: str, *names: str) -> None:
    async with init_db(os.environ["DATABASE_URL"]) as database, Producer(database) as producer:  # noqa: TID251 - its own
        await producer.enqueue(*(NewEvent("greet", {"name": n}, DEFAULT_TENANT, dedupe_key=n) for n in names))
        if command == "work":
            await WorkerPool(5, database, greet).run_forever()  # until Ctrl-C or SIGTERM


asyncio.run(main(*sys.argv[1:]))
