"""A worker of one's own on Athenaeum's queue, without Slack and without an agent.

python examples/handler.py put "Ada" "Grace"
python examples/handler.py work
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from athenaeum.config import Config
from athenaeum.database.connection import init_db
from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.errors import Misconfigured, Refused, RetryLater
from athenaeum.events import enqueue
from athenaeum.worker.pool import WorkerPool


def greet(event: Event) -> None:
    """Returning completes the event; an error puts it back, or fails it, as its class says."""
    name = event.payload["name"]
    if not name:
        raise Refused("nobody to greet")  # kept as failed, with this message
    if name == "Godot":
        raise RetryLater("not here yet", after=timedelta(minutes=1))
    print(f"Hello, {name}!", flush=True)


async def main(command: str, *names: str) -> None:
    """Put names into the queue, or work until Ctrl-C or SIGTERM."""
    url = Config().database_url
    if url is None:
        raise Misconfigured("set DATABASE_URL to a PostgreSQL 16 or newer with pgvector")
    async with init_db(url.get_secret_value()) as database:
        if command == "work":
            await WorkerPool(5, database, greet).run_forever()
            return
        async with database.session(DEFAULT_TENANT) as session:
            for name in names:  # all of them or none; one greeting per name and day; each name in turn
                event = NewEvent("greet", {"name": name}, DEFAULT_TENANT, dedupe_key=f"greet:{name}", ordering_key=name)
                await enqueue(session, event)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
