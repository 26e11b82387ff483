"""What Slack's events have missed to tell goes the way of what they tell."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from athenaeum.conversations.sync.refresh import HISTORIES, refresh_histories
from athenaeum.database.connection import transient
from athenaeum.domain.channel import ChannelKind
from athenaeum.events.schedules import Schedule, schedule
from athenaeum.gateway.envelope import read_envelope
from athenaeum.slack.incoming import Malformed
from athenaeum.tenants import register

if TYPE_CHECKING:
    from collections.abc import Mapping

    from athenaeum.conversations.sync.gaps import Hear
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import ChannelId, TenantId
    from athenaeum.gateway.intake import Intake
    from athenaeum.gateway.socket_mode import SocketMode
    from athenaeum.wiring.workspace import Workspace

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)
"""How often histories are looked at; half of the time for which a missed question is still answered."""
_SETTLE = 1.0  # seconds in which Slack delivers again what it has kept, and a connection may come and go
_PAUSE = 3.0
_TYPES = {
    ChannelKind.PUBLIC: "channel",
    ChannelKind.PRIVATE: "group",
    ChannelKind.DIRECT: "im",
    ChannelKind.GROUP: "mpim",
}


def hearing(database: DatabaseConnection, intake: Intake) -> Hear:
    """Take a message of a history in as the event would have been: same turn, same limits, same log."""

    async def hear(tenant: TenantId, channel: ChannelId, kind: ChannelKind, raw: Mapping[str, Any]) -> None:
        of = await register.get(database, tenant)
        told = {**raw, "type": "message", "channel": channel, "channel_type": _TYPES[kind]}
        body = {
            "type": "event_callback",
            "team_id": of.team_id,
            "enterprise_id": of.enterprise_id,
            "event_id": f"history_{channel}_{raw['ts']}".replace(".", "_"),
            "event": told,
        }
        log.info("message.missed", tenant=str(tenant), channel=channel, ts=raw["ts"])
        try:
            await intake.take_in(read_envelope(body), of)
        except Malformed as error:  # it would be next time as well
            log.warning("message.unreadable", channel=channel, ts=raw["ts"], error=str(error))

    return hear


async def watch_for_gaps(database: DatabaseConnection, workspace: Workspace, socket: SocketMode | None) -> None:
    """Have histories read regularly, and each time that a connection stands; until cancelled."""
    if workspace.client is not None:
        await workspace.tenant()
    stands = False
    while True:
        try:
            await _look(database, at_once=stands)
        except (SQLAlchemyError, OSError) as error:
            if not transient(error):
                raise
            log.warning("histories.postponed", error=type(error).__name__, retry_in=_PAUSE)
            await asyncio.sleep(_PAUSE)
            continue
        if socket is None:
            return
        await socket.greeted.wait()
        socket.greeted.clear()
        await asyncio.sleep(_SETTLE)
        stands = True


async def _look(database: DatabaseConnection, *, at_once: bool) -> None:
    connected = [one.id for one in await register.every(database) if one.team_id or one.enterprise_id]
    async with database.session() as session:
        for tenant in connected:
            await schedule(session, Schedule(name=HISTORIES, kind=HISTORIES, payload={}, tenant=tenant, every=EVERY))
            if at_once:
                await refresh_histories(session, tenant)
