"""What one process does: gateway, worker and janitor, together or apart."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from athenaeum.agent.reception import Reception
from athenaeum.config import EngineName
from athenaeum.errors import Misconfigured
from athenaeum.gateway.app import build_app
from athenaeum.gateway.commands import Commands
from athenaeum.gateway.installer import Installer
from athenaeum.gateway.intake import Intake
from athenaeum.gateway.listener import Listener
from athenaeum.gateway.socket_mode import SocketMode
from athenaeum.wiring import broker, probes
from athenaeum.wiring.agent import open_agent, open_prompts
from athenaeum.wiring.background import beside
from athenaeum.wiring.database import open_database
from athenaeum.wiring.engine import open_engine
from athenaeum.wiring.http import serve_http
from athenaeum.wiring.library import open_index
from athenaeum.wiring.lifetime import until_told_to_end
from athenaeum.wiring.limit import open_limit
from athenaeum.wiring.missed import hearing, watch_for_gaps
from athenaeum.wiring.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine

    from fastapi import FastAPI

    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.observability.health import Probe
    from athenaeum.retrieval.index import Index
    from athenaeum.wiring.engine import Engine
    from athenaeum.worker.celery.relay import Relay

log = structlog.get_logger(__name__)


_INTRODUCTION = 5.0  # seconds for Slack to say whose token it is; until then an event over HTTP is answered by 503


class Role(StrEnum):
    """What a process may do."""

    GATEWAY = "gateway"
    WORKER = "worker"
    JANITOR = "janitor"


@dataclass(frozen=True, slots=True)
class Running:
    """A process at work: its HTTP address and what others may want of it."""

    address: str
    database: DatabaseConnection
    index: Index
    workspace: Workspace


@asynccontextmanager
async def open_process(config: Config, roles: Collection[Role]) -> AsyncGenerator[Running]:
    """Do the work of these roles until the block ends; workers then hand on what they could not finish.

    Raises:
        Misconfigured: a setting is missing, refused or cannot work; the message names the mend.
    """
    _require_slack(config, roles)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_database(config, patient=True))
        workspace = await stack.enter_async_context(Workspace(config, database))
        index = open_index(config, database)
        parts = _Parts(
            probes={
                "database": probes.database(database),
                "queue": probes.queue(database),
                "slack": workspace.probe,
            },
            works=[workspace.connect],
        )
        limit = await stack.enter_async_context(open_limit(config, parts.probes))
        intake = Intake(database, limit=limit, clients=workspace.clients)
        hear = hearing(database, intake)
        if Role.WORKER in roles or Role.JANITOR in roles:
            agent = await stack.enter_async_context(
                open_agent(config, database, index, workspace.clients, looks=parts.probes)
            )
            employ = partial(broker.consumer, config, database) if config.engine is EngineName.CELERY else None
            engine = open_engine(
                config,
                database=database,
                index=index,
                agent=agent,
                workspace=workspace,
                employ=employ,
                hear=hear,
            )
            if Role.WORKER in roles:
                parts.employ(engine)
            if Role.JANITOR in roles:
                parts.works.append(engine.janitor.run)
        if Role.GATEWAY in roles:
            commands = Commands(database, Reception(database, index, open_prompts(config)), limit=limit)
            parts.open_door(config, Listener(database, intake, commands), workspace)
            parts.works.append(partial(workspace.sync, hear))
            parts.works.append(partial(watch_for_gaps, database, workspace, parts.socket))
        if config.engine is EngineName.CELERY and set(roles) != {Role.WORKER}:
            relay = await stack.enter_async_context(broker.open_relay(config, database, workspace.tenants))
            parts.tell(relay)
        address = await stack.enter_async_context(serve_http(parts.app(config), host=config.host, port=config.port))
        await stack.enter_async_context(beside(*(work() for work in parts.works)))
        if workspace.client is not None:
            with suppress(TimeoutError):  # Slack is away: serve what is possible, take its events when it is back
                async with asyncio.timeout(_INTRODUCTION):
                    await workspace.tenant()
        log.info("process.ready", roles=sorted(roles), address=address)
        yield Running(address, database, index, workspace)


@dataclass(slots=True)
class _Parts:
    """What a process runs and shows, gathered role by role."""

    probes: dict[str, Callable[[], Awaitable[Probe]]]
    works: list[Callable[[], Coroutine[Any, Any, None]]]
    listener: Listener | None = None
    socket: SocketMode | None = None
    installer: Installer | None = None

    def employ(self, engine: Engine) -> None:
        self.probes["workers"] = probes.workers(engine.pool)
        self.works.append(engine.work)

    def tell(self, relay: Relay) -> None:
        self.probes["broker"] = probes.broker(relay)
        self.works.append(relay.run)

    def open_door(self, config: Config, listener: Listener, workspace: Workspace) -> None:
        self.listener = listener
        self.installer = workspace.installer
        if config.slack_app_token is not None:
            token = config.slack_app_token.get_secret_value()
            self.socket = SocketMode(token, listener, base_url=config.slack_api_url)
            self.probes["socket"] = self.socket.probe
            self.works.append(partial(_listen, self.socket, workspace))

    def app(self, config: Config) -> FastAPI:
        secret = config.slack_signing_secret.get_secret_value() if config.slack_signing_secret else None
        return build_app(probes=self.probes, listener=self.listener, signing_secret=secret, installer=self.installer)


async def _listen(socket: SocketMode, workspace: Workspace) -> None:
    if workspace.client is not None:
        await workspace.tenant()  # an event before that could not be taken, and Slack may be slow to send it again
    await socket.run()


async def serve(config: Config, roles: Collection[Role], *, ready: Callable[[Running], None]) -> None:
    """Run these roles until SIGTERM or SIGINT; `ready` is told when everything has begun."""
    await until_told_to_end(open_process(config, roles), ready=ready)


def _require_slack(config: Config, roles: Collection[Role]) -> None:
    if Role.GATEWAY not in roles:
        return
    if config.slack_bot_token is None and config.slack_client_id is None:
        raise Misconfigured(
            "SLACK_BOT_TOKEN is not set: docs/guides/slack.md tells how to get one, and athenaeum demo needs none"
        )
    if config.slack_app_token is None and config.slack_signing_secret is None:
        raise Misconfigured("set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for events over HTTP")
