"""Sudden death: from a chosen step on, a worker's database and Slack do nothing more for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.event import Event
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.slack.client import SlackClient
from athenaeum.worker.delivery import Delivery, Timing
from athenaeum.worker.handlers.turn import TurnHandler
from support.stage import HASTY, ScriptedAgent, Stage

IMPATIENT = replace(HASTY, lease=timedelta(milliseconds=200))


class Death(BaseException):
    """The process is gone; nothing of the product can catch this."""


class Life:
    """A worker's steps: each transaction and each Slack call is two, before its effect and after it."""

    def __init__(self, steps: int | None = None) -> None:
        self.left = steps
        self.ended = False

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            self.ended = self.ended or self.left < 0
        if self.ended:
            raise Death


class MortalDatabase(DatabaseConnection):
    """A pool for one worker's life."""

    def __init__(self, url: str, life: Life) -> None:
        super().__init__(url)
        self.life = life

    @asynccontextmanager
    async def session(self, tenant: TenantId | None = None) -> AsyncGenerator[AsyncSession]:
        self.life.step()
        async with super().session(tenant) as session:
            yield session
        self.life.step()


class MortalSlack(SlackClient):
    """A client for one worker's life."""

    def __init__(self, token: str, base_url: str, life: Life) -> None:
        super().__init__(token, base_url=base_url)
        self.life = life

    async def _respond(
        self, method: str, arguments: Mapping[str, Any], *, read: bool, form: bool = False
    ) -> AsyncSlackResponse:
        self.life.step()
        response = await super()._respond(method, arguments, read=read, form=form)
        self.life.step()
        return response


async def live(stage: Stage, event: Event, agent: ScriptedAgent, life: Life, *, timing: Timing = IMPATIENT) -> None:
    """One worker process: its own pool, its own client, until its end."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(MortalDatabase(stage.database.url, life))
        app = stage.sim.world.app
        slack = await stack.enter_async_context(MortalSlack(app.bot_token, stage.sim.api_url, life))
        delivery = Delivery(database, {DEFAULT_TENANT: slack}, timing=timing)
        await TurnHandler(database, agent, delivery).handle(event)
