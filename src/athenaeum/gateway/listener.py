"""The one way in for events of both transports: through Bolt to the intake, and an answer only after the commit."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from athenaeum.database.connection import DatabaseConnection, transient
from athenaeum.domain.tenant import Tenant
from athenaeum.errors import RetryLater
from athenaeum.gateway.admission import Admission
from athenaeum.gateway.commands import Commands
from athenaeum.gateway.envelope import Envelope, read_envelope
from athenaeum.gateway.intake import Intake
from athenaeum.observability.metrics import EVENTS_RECEIVED, EVENTS_REFUSED
from athenaeum.slack.incoming import Malformed

log = structlog.get_logger(__name__)

_PATIENCE = 2.5  # seconds; Slack waits three, and a database that hangs must not keep the connections
# As many as the pool keeps open: with 40 at once every second event opened a connection of its own, and cost twice the
# processor's time (13 ms in the two processes, and 6 ms with 10).
_AT_ONCE = 10
_UNTAKEN = "I could not do this just now. Please try again in a moment."


class Receipt(Enum):
    """What the transport tells Slack."""

    TAKEN = 200
    """Committed, or of no use however often it comes: acknowledge it."""
    AWAY = 503
    """Not stored: Slack must send it again."""


class Listener:
    """Receives payloads; both transports hand them over and acknowledge what is taken."""

    def __init__(self, database: DatabaseConnection, intake: Intake, commands: Commands | None = None) -> None:
        """Build the Bolt app; nothing is opened. Without `commands` there are none."""
        self._admission = Admission(database)
        self._intake = intake
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._commands = commands
        self._app = AsyncApp(
            name="athenaeum",
            logger=_quiet_logger(),
            process_before_response=True,  # Bolt's default acknowledges before the listener has run
            before_authorize=self._admit,
            authorize=_authorize,
            client=AsyncWebClient(),  # without a client and a secret Bolt would read the environment for them
            signing_secret="",
            request_verification_enabled=False,
            ssl_check_enabled=False,
            url_verification_enabled=False,
            ignoring_self_events_enabled=False,  # our own words belong to the archive
            attaching_function_token_enabled=False,
        )
        self._app.event(re.compile(""))(self._take_in)
        self._app.error(self._failed)

    async def receive(self, payload: object, *, transport: str) -> Receipt:
        """Take an Events API payload in; the top handler: no payload may raise through it.

        A payload that cannot be read is logged and taken: sent again it would be no better. Anything else
        that goes wrong leaves it with Slack, which sends it again a few times.
        """
        try:
            envelope = read_envelope(payload)
        except Malformed as error:
            event_id = payload.get("event_id") if isinstance(payload, Mapping) else None
            return _quarantined(str(event_id)[:64], error)
        EVENTS_RECEIVED.labels(transport, envelope.type).inc()
        try:
            async with asyncio.timeout(_PATIENCE), self._room:
                response = await self._app.async_dispatch(_request(envelope))
        except TimeoutError as error:
            return _postponed(envelope, error)
        except Exception:
            log.exception("event.broken", event_id=envelope.event_id, type=envelope.type)
            return Receipt.AWAY
        return Receipt.TAKEN if response.status == Receipt.TAKEN.value else Receipt.AWAY

    async def answer(self, form: object, *, transport: str) -> dict[str, Any]:
        """Take a slash command in and give what Slack shows its sender, which may be nothing; raises nothing either.

        Slack sends a command only once, so that one that failed is acknowledged too, and its sender told.
        """
        try:
            envelope = read_envelope(form)
            EVENTS_RECEIVED.labels(transport, envelope.type).inc()
            async with asyncio.timeout(_PATIENCE):
                tenant = await self._admission.admit(envelope)
                return {} if tenant is None or self._commands is None else await self._commands.answer(envelope, tenant)
        except Malformed as error:
            _quarantined("", error)
            return {}
        except Exception as error:
            if isinstance(error, TimeoutError | RetryLater) or transient(error):
                log.warning("command.untaken", error=type(error).__name__)
            else:
                log.exception("command.broken")
            EVENTS_REFUSED.labels("unavailable").inc()
            return {"response_type": "ephemeral", "text": _UNTAKEN}

    async def _admit(
        self,
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002 - Bolt injects by name
    ) -> BoltResponse | None:
        tenant = await self._admission.admit(context["envelope"])
        if tenant is None:
            return BoltResponse(status=Receipt.TAKEN.value)
        context["tenant"] = tenant
        await next()
        return None

    async def _take_in(self, context: AsyncBoltContext) -> None:
        envelope: Envelope = context["envelope"]
        try:
            await self._intake.take_in(envelope, context["tenant"])
        except Malformed as error:
            _quarantined(envelope.event_id, error)

    async def _failed(self, error: Exception, context: AsyncBoltContext) -> BoltResponse:
        envelope: Envelope = context["envelope"]
        if isinstance(error, RetryLater) or transient(error):
            return BoltResponse(status=_postponed(envelope, error).value)
        log.error("event.broken", event_id=envelope.event_id, type=envelope.type, exc_info=error)
        return BoltResponse(status=Receipt.AWAY.value)


async def _authorize(context: AsyncBoltContext) -> AuthorizeResult:
    tenant: Tenant = context["tenant"]
    return AuthorizeResult(
        enterprise_id=tenant.enterprise_id,
        team_id=tenant.team_id,
        bot_user_id=tenant.bot_user,
        bot_id=tenant.bot_id,
    )


def _quarantined(event_id: str, error: Malformed) -> Receipt:
    EVENTS_REFUSED.labels("unreadable").inc()
    log.error("event.unreadable", event_id=event_id, error=str(error))
    return Receipt.TAKEN


def _postponed(envelope: Envelope, error: Exception) -> Receipt:
    EVENTS_REFUSED.labels("unavailable").inc()
    log.warning("event.postponed", event_id=envelope.event_id, error=type(error).__name__)
    return Receipt.AWAY


def _request(envelope: Envelope) -> AsyncBoltRequest:
    # Bolt searches a body in many places for a context that we don't use, and trips over a hostile one: it gets
    # what it routes by, and the envelope rides along.
    body = {"type": "event_callback", "team_id": envelope.team, "enterprise_id": envelope.enterprise}
    request = AsyncBoltRequest(body={**body, "event": {"type": envelope.type}}, mode="socket_mode")
    request.context["envelope"] = envelope
    return request


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger("athenaeum.gateway.bolt")
    logger.setLevel(logging.ERROR)  # at DEBUG Bolt writes down whole payloads; its warnings are about our choices
    return logger
