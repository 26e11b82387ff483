"""The local workspace begins anew with each start, and so does what Athenaeum knows of it; documents stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, text

from athenaeum.database import models
from athenaeum.tenants import register

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.retrieval.index import Index

_MESSAGES = text("SELECT DISTINCT source_key FROM passages WHERE origin = 'message'")
_TABLES = (
    models.Turn,
    models.SlackEvent,
    models.SlackReaction,
    models.SlackMessageVersion,
    models.SlackMessage,
    models.SlackChannelMove,
    models.SlackMove,
    models.SlackMember,
    models.SlackChannel,
    models.SlackUser,
)


async def forget_conversations(database: DatabaseConnection, index: Index, *, team_id: str) -> None:
    """Delete the messages, people, channels and turns of a workspace that no longer exists."""
    tenant = await register.resolve(database, team_id, None)
    if tenant is None:
        return
    async with database.session(tenant.id) as session:
        for key in (await session.scalars(_MESSAGES)).all():
            await index.remove(session, tenant.id, key)
        for table in _TABLES:
            await session.execute(delete(table))
