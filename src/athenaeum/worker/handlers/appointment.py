"""The time of a digest or a reminder has come."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from athenaeum.conversations.appointments.keeping import keep
from athenaeum.domain.identity import AppointmentId
from athenaeum.errors import Refused
from athenaeum.tenants import register

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.event import Event

log = structlog.get_logger(__name__)


class AppointmentHandler:
    """Opens the turn of each time that has come, once."""

    def __init__(self, database: DatabaseConnection) -> None:
        """`database` gives sessions of the appointment's tenant."""
        self._database = database

    async def handle(self, event: Event) -> None:
        """Do what is due."""
        try:
            appointment = AppointmentId(UUID(str(event.payload["appointment"])))
        except (KeyError, ValueError) as error:
            raise Refused('the payload of an appointment is {"appointment": its id}') from error
        tenant = await register.get(self._database, event.tenant)
        async with self._database.session(event.tenant) as session:
            kept = await keep(session, tenant, appointment)
        log.info("appointment.kept", appointment=str(appointment), outcome=kept.value)

    async def give_up(self, event: Event, error: Exception) -> None:
        """The queue's schedule brings it up again the next day."""
        log.warning("appointment.given_up", event_id=event.id, error=type(error).__name__)
