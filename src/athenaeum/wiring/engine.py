"""The engine room: the pool, its handlers, and the loops beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from athenaeum.conversations.turns import TURN
from athenaeum.worker.delivery import Delivery
from athenaeum.worker.dispatch import Dispatch
from athenaeum.worker.handlers.turn import TurnHandler
from athenaeum.worker.pool import WorkerPool

if TYPE_CHECKING:
    from athenaeum.agent.runner import Runner
    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.retrieval.index import Index
    from athenaeum.wiring.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Engine:
    """A pool that is not started yet, and what runs beside it."""

    pool: WorkerPool


def open_engine(
    config: Config, *, database: DatabaseConnection, index: Index, agent: Runner, workspace: Workspace
) -> Engine:
    """Put the handlers of every kind of event together."""
    delivery = Delivery(database, workspace.clients)
    turn = TurnHandler(database, agent, delivery)
    dispatch = Dispatch({TURN: turn}, config.max_retry_count)
    pool = WorkerPool(
        config.worker_pool_size,
        database,
        dispatch,
        visibility_timeout=config.visibility_timeout,
        max_retries=config.max_retry_count,
    )
    return Engine(pool)
