"""The engine room: the pool, its handlers, and the loops beside it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from athenaeum.agent.extras import Extras
from athenaeum.conversations.appointments.book import APPOINTMENT
from athenaeum.conversations.archive.indexing import MessageIndexer
from athenaeum.conversations.commands import COMMAND
from athenaeum.conversations.escalations import ESCALATION
from athenaeum.conversations.extras import OFFER, REVEAL
from athenaeum.conversations.notices import NOTICE
from athenaeum.conversations.openers import OPENERS
from athenaeum.conversations.personal import ERASURE, HOME
from athenaeum.conversations.sync import sync_histories, sync_workspace
from athenaeum.conversations.sync.refresh import CHANNEL, HISTORIES, PERSON, WORKSPACE
from athenaeum.conversations.turns import ASK, STOP, TURN, WITHDRAWAL
from athenaeum.wiring.limit import rates
from athenaeum.worker.delivery import Delivery
from athenaeum.worker.dispatch import Dispatch
from athenaeum.worker.greeter import Greeter
from athenaeum.worker.handlers.appointment import AppointmentHandler
from athenaeum.worker.handlers.channel import ChannelHandler, PersonHandler
from athenaeum.worker.handlers.command import CommandHandler
from athenaeum.worker.handlers.escalation import EscalationHandler
from athenaeum.worker.handlers.extras import OfferHandler, RevealHandler
from athenaeum.worker.handlers.home import ErasureHandler, HomeHandler
from athenaeum.worker.handlers.notice import NoticeHandler
from athenaeum.worker.handlers.openers import OpenersHandler
from athenaeum.worker.handlers.turn import TurnHandler
from athenaeum.worker.handlers.withdrawal import WithdrawalHandler
from athenaeum.worker.handlers.workspace import WorkspaceHandler
from athenaeum.worker.janitor import Janitor
from athenaeum.worker.pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from athenaeum.agent.runner import Runner
    from athenaeum.config import Config
    from athenaeum.conversations.sync.gaps import Hear
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.retrieval.index import Index
    from athenaeum.wiring.workspace import Workspace
    from athenaeum.worker.execution import Process
    from athenaeum.worker.statistics import PoolHealth, PoolStats


class Workers(Protocol):
    """Who takes events from the moment it is entered: `WorkerPool`, or Celery's."""

    async def __aenter__(self) -> object:
        """Begin."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Drain, and hand back what is unfinished."""
        ...

    def get_stats(self) -> PoolStats:
        """Counts since the start."""
        ...

    async def health_check(self) -> PoolHealth:
        """Whether events are taken."""
        ...


@dataclass(frozen=True, slots=True)
class Engine:
    """A pool that is not started yet, and what runs beside it."""

    pool: Workers
    indexer: MessageIndexer
    greeter: Greeter
    janitor: Janitor
    workspace: Workspace

    async def work(self) -> None:
        """Take events until cancelled, once it is known where answers go; hand on what is unfinished then."""
        if self.workspace.client is not None:
            await self.workspace.tenant()
        async with self.pool, asyncio.TaskGroup() as group:
            group.create_task(self.indexer.run())
            group.create_task(self.greeter.run())


def open_engine(  # noqa: PLR0913 - the parts of the house, by their names
    config: Config,
    *,
    database: DatabaseConnection,
    index: Index,
    agent: Runner,
    workspace: Workspace,
    kinds: Collection[str] | None = None,
    employ: Callable[[Process], Workers] | None = None,
    hear: Hear | None = None,
) -> Engine:
    """Put the handlers of every kind of event together.

    Who runs them is for `employ` to say, where given; otherwise it is a pool, which takes only `kinds`, where given.
    Missed messages that are still fresh are told to `hear`; without it they are stored.
    """
    delivery = Delivery(database, workspace.clients)
    extras = Extras(index)
    turn = TurnHandler(database, agent, delivery)
    handlers = {
        TURN: turn,
        ASK: turn,
        STOP: turn,
        CHANNEL: ChannelHandler(database, workspace.clients, hear),
        HISTORIES: WorkspaceHandler(database, workspace.clients, sync_histories, hear=hear),
        PERSON: PersonHandler(database, workspace.clients),
        WORKSPACE: WorkspaceHandler(database, workspace.clients, sync_workspace, hear=hear),
        WITHDRAWAL: WithdrawalHandler(database, delivery),
        NOTICE: NoticeHandler(workspace.clients),
        ESCALATION: EscalationHandler(database, agent, delivery),
        APPOINTMENT: AppointmentHandler(database),
        COMMAND: CommandHandler(database, workspace.clients),
        HOME: HomeHandler(database, workspace.clients, rates(config)),
        OPENERS: OpenersHandler(agent, workspace.clients),
        ERASURE: ErasureHandler(database),
        OFFER: OfferHandler(database, extras, workspace.clients),
        REVEAL: RevealHandler(database, extras, workspace.clients),
    }
    process = Dispatch(handlers, config.max_retry_count)
    pool = WorkerPool(
        config.worker_pool_size,
        database,
        process,
        visibility_timeout=config.visibility_timeout,
        max_retries=config.max_retry_count,
        kinds=kinds,
        # another workspace's events are for the process that has its token
        tenants=workspace.tenants if kinds is None and workspace.client is not None else None,
    )
    return Engine(
        employ(process) if employ is not None else pool,
        MessageIndexer(database, index),
        Greeter(database, delivery),
        Janitor(database, turn),
        workspace,
    )
