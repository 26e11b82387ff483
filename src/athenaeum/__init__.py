"""An AI teammate in Slack that answers once, with sources.

The names below are the library: a durable queue and its workers, good for work of any kind, without Slack.
They are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection, get_session, init_db
    from athenaeum.domain.event import NewEvent
    from athenaeum.events import EventProcessor, Producer, enqueue, enqueue_many
    from athenaeum.worker.pool import WorkerPool

__all__ = [
    "Config",
    "DatabaseConnection",
    "EventProcessor",
    "NewEvent",
    "Producer",
    "WorkerPool",
    "enqueue",
    "enqueue_many",
    "get_session",
    "init_db",
]

_HOMES = {
    "Config": "athenaeum.config",
    "DatabaseConnection": "athenaeum.database.connection",
    "EventProcessor": "athenaeum.events",
    "NewEvent": "athenaeum.domain.event",
    "Producer": "athenaeum.events",
    "WorkerPool": "athenaeum.worker.pool",
    "enqueue": "athenaeum.events",
    "enqueue_many": "athenaeum.events",
    "get_session": "athenaeum.database.connection",
    "init_db": "athenaeum.database.connection",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
