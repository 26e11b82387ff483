"""The agent, with the models that the configuration asks for."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.agent.prompts import Prompts, check
from athenaeum.agent.runner import Runner
from athenaeum.database.connection import transient
from athenaeum.domain.tenant import Persona
from athenaeum.errors import Misconfigured
from athenaeum.llm.models import ModelKeys, model_factory
from athenaeum.tenants import register
from athenaeum.tenants.personas import every_face
from athenaeum.tools.attachments import Attachments
from athenaeum.wiring.mcp import open_servers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from pydantic import SecretStr

    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId
    from athenaeum.domain.tenant import Tenant
    from athenaeum.observability.health import Probe
    from athenaeum.retrieval.index import Index
    from athenaeum.slack.client import SlackClient
    from athenaeum.tenants.personas import Face

log = structlog.get_logger(__name__)


def model_keys(config: Config) -> ModelKeys:
    """The providers' credentials."""
    return ModelKeys(
        anthropic_api_key=_revealed(config.anthropic_api_key),
        anthropic_base_url=config.anthropic_base_url,
        openai_api_key=_revealed(config.openai_api_key),
        openai_base_url=config.openai_base_url,
    )


@asynccontextmanager
async def open_agent(
    config: Config,
    database: DatabaseConnection,
    index: Index,
    clients: Mapping[TenantId, SlackClient],
    *,
    looks: dict[str, Callable[[], Awaitable[Probe]]] | None = None,
) -> AsyncGenerator[Runner]:
    """The agent with the configured models and MCP servers, which then are among the `looks` at health.

    `clients` open the files that are shared with questions.

    Raises:
        Misconfigured: a model is unknown or lacks its key, or a template or the file of MCP servers is broken.
    """
    factory = model_factory(config.model, model_keys(config), prices=config.prices)
    async with factory(None):  # a name that is wrong stops the start, not the first question
        pass
    prompts = open_prompts(config)
    await _try_personas(database)
    attachments = Attachments(database, clients)
    async with (
        Runner(database, index, factory, prompts=prompts, attachments=attachments) as runner,
        open_servers(config, runner.toolset, {} if looks is None else looks),
    ):
        yield runner


def open_prompts(config: Config) -> Prompts:
    """The templates, the operator's own before the packaged ones."""
    overrides = config.home_dir / "templates"
    return Prompts(overrides if overrides.is_dir() else None)


async def _try_personas(database: DatabaseConnection) -> None:
    """Name the templates that a new release has broken; the packaged ones stand in for them."""
    try:
        faces = [(tenant, face) for tenant in await register.every(database) for face in await _faces(database, tenant)]
    except (SQLAlchemyError, OSError) as error:
        if not transient(error):
            raise
        log.warning("personas.untried", error=type(error).__name__)  # the start does not end for it
        return
    for tenant, face in faces:
        try:
            check(replace(Persona(), **face.overrides))
        except Misconfigured as error:
            place = {"channel": face.channel, "user": face.user}
            log.error("persona.broken", tenant=str(tenant.id), **place, reason=str(error))  # noqa: TRY400


async def _faces(database: DatabaseConnection, tenant: Tenant) -> list[Face]:
    async with database.session(tenant.id) as session:
        return await every_face(session)


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
