"""A person's Home tab, and the deletion of what they left here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.conversations import modes, personal
from athenaeum.domain.home import Allowance, Answered, Attended, Home
from athenaeum.domain.identity import ChannelId, UserId
from athenaeum.errors import Discard, Refused
from athenaeum.slack.errors import CallRefused
from athenaeum.slack.formatting.home import render_home
from athenaeum.slack.permalink import permalink
from athenaeum.tenants import register
from athenaeum.tenants.budgets import Scope
from athenaeum.tenants.budgets.standing import standing
from athenaeum.tenants.personas import persona_for
from athenaeum.worker.handlers.client import client_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event
    from athenaeum.domain.identity import TenantId
    from athenaeum.domain.tenant import Tenant
    from athenaeum.slack.client import SlackClient
    from athenaeum.tenants.limits import Rates

log = structlog.get_logger(__name__)

_NOWHERE = ChannelId("")
_WHOSE = {Scope.TENANT: "This workspace", Scope.USER: "You"}


class HomeHandler:
    """Handles `home`: makes the tab anew, each time that somebody opens it. Shown twice it is the same."""

    def __init__(
        self, database: DatabaseConnection, slack: Mapping[TenantId, SlackClient], rates: Rates | None = None
    ) -> None:
        """`slack` may grow later; `rates` are what the gateways hold people to."""
        self._database = database
        self._slack = slack
        self._rates = rates

    async def handle(self, event: Event) -> None:
        """Read what is theirs, and publish it."""
        client, user = client_of(self._slack, event.tenant), _user(event)
        tenant = await register.get(self._database, event.tenant)
        async with self._database.session(event.tenant) as session:
            home = await self._gather(session, tenant, user)
        try:
            await client.publish_home(user, render_home(home))
        except CallRefused as error:  # the tab was switched off meanwhile
            raise Discard(f"the home is not shown: {error}") from error

    async def give_up(self, event: Event, error: Exception) -> None:
        """It is made again when it is opened again."""
        log.warning("home.given_up", event_id=event.id, error=type(error).__name__)

    async def _gather(self, session: AsyncSession, tenant: Tenant, user: UserId) -> Home:
        persona = await persona_for(session, None, user)
        answered = await personal.answered(session, user)
        budgets = await standing(session, channel=_NOWHERE, user=user)
        attended = await modes.list_answered(session, user)
        kept, since = await personal.kept(session, user)
        channel, person = (self._rates.channel, self._rates.user) if self._rates else (None, None)
        return Home(
            name=persona.name,
            role=persona.role,
            answered=[Answered(past.question, _address(tenant, past)) for past in answered],
            allowances=[Allowance(_WHOSE[one.scope], one.dollars, one.spent) for one in budgets if one.scope in _WHOSE],
            per_channel=channel.burst if channel else None,
            per_person=person.burst if person else None,
            attended=[Attended(one.channel, one.mode, one.answered, one.cap) for one in attended[:_LISTED]],
            kept=kept,
            kept_since=since,
        )


_LISTED = 20
"""Channels; with their lines the section stays under Slack's 3,000 characters."""


class ErasureHandler:
    """Handles `erasure`: what is stored is gone with one transaction, which has what stands in Slack taken away."""

    def __init__(self, database: DatabaseConnection) -> None:
        """`database` gives sessions of the person's tenant."""
        self._database = database

    async def handle(self, event: Event) -> None:
        """Erase, and make the Home tab anew."""
        user = _user(event)
        async with self._database.session(event.tenant) as session:
            erased = await personal.erase(session, event.tenant, user)
            await personal.show_home(session, event.tenant, user, cause=f"erasure:{event.id}")
        log.info("person.erased", event_id=event.id, questions=erased)

    async def give_up(self, event: Event, error: Exception) -> None:
        """An operator has to look: somebody was promised this."""
        log.error("erasure.given_up", event_id=event.id, error=type(error).__name__)


def _address(tenant: Tenant, past: personal.Past) -> str | None:
    return tenant.url and permalink(tenant.url, past.channel, past.ts, past.thread_ts)


def _user(event: Event) -> UserId:
    user = event.payload.get("user")
    if not isinstance(user, str):
        raise Refused(f'the payload of {event.kind} is {{"user": their id}}')
    return UserId(user)
