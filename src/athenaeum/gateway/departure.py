"""A workspace that leaves: the app was uninstalled, or its bot's token revoked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from athenaeum.tenants import installations, register

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.tenant import Tenant
    from athenaeum.gateway.envelope import Envelope

log = structlog.get_logger(__name__)

DEPARTURES = frozenset({"app_uninstalled", "tokens_revoked"})
"""The events that may say so."""


async def depart(database: DatabaseConnection, envelope: Envelope, tenant: Tenant) -> None:
    """Serve the workspace no more, unless it has come back since: Slack's events may be hours late."""
    if envelope.type == "tokens_revoked" and not _of_bot(envelope):
        return
    async with database.session(tenant.id) as session:
        installed = await installations.installed_at(session)
        # Slack's clock tells whole seconds here: within one second the event counts, or a workspace that left is served
        if (
            installed is not None
            and envelope.sent_at is not None
            and envelope.sent_at < installed.replace(microsecond=0)
        ):
            log.info("departure.outdated", tenant=str(tenant.id), event_id=envelope.event_id)
            return
        reason = "the app was uninstalled" if envelope.type == "app_uninstalled" else "its token was revoked"
        await register.disable(session, tenant.id, reason, is_gone=True)


def _of_bot(envelope: Envelope) -> bool:
    """Whether the bot's token is among the revoked ones; those of people are of no concern."""
    tokens = envelope.event.child("tokens")
    return tokens is not None and bool(tokens.fields.get("bot"))
