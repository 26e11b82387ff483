"""Work for the queue: read again from Slack what an event could only hint at."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.domain.event import NewEvent
from athenaeum.domain.identity import ChannelId, TenantId, UserId
from athenaeum.events import enqueue

CHANNEL = "slack.channel"
"""Event kind: read a channel, its members and what was said there; payload `{"channel": id}`."""
PERSON = "slack.person"
"""Event kind: read who somebody is; payload `{"user": id}`."""
WORKSPACE = "slack.workspace"
"""Event kind: read the people, channels, members and latest messages of a whole workspace; payload `{}`."""

HISTORIES = "slack.histories"
"""Event kind: read what was said and not told, in every channel; payload `{}`."""


# the head of an ordering key is found by an index
_DUE = text("""
    SELECT EXISTS (
        SELECT FROM queued_events WHERE ordering_key = ANY(:keys) AND state IN ('waiting', 'ready', 'running')
        AND ready_at < clock_timestamp() + CAST(:within AS interval))""")


async def is_due(session: AsyncSession, channel: ChannelId, user: UserId, *, within: timedelta) -> bool:
    """Whether a channel or a person is being read from Slack, or about to be."""
    keys = [f"{CHANNEL}:{channel}", f"{PERSON}:{user}"]
    return bool(await session.scalar(_DUE, {"keys": keys, "within": within}))


async def refresh_workspace(session: AsyncSession, tenant: TenantId, *, cause: str) -> None:
    """Have the whole workspace read; of the same `cause` once."""
    await enqueue(
        session,
        NewEvent(kind=WORKSPACE, payload={}, tenant=tenant, dedupe_key=f"{WORKSPACE}:{cause}", ordering_key=WORKSPACE),
    )


async def refresh_channel(session: AsyncSession, tenant: TenantId, channel: ChannelId, *, cause: str) -> None:
    """Have a channel read; `cause` is the id of the Slack event that asks for it, and counts once."""
    await enqueue(
        session,
        NewEvent(
            kind=CHANNEL,
            payload={"channel": channel},
            tenant=tenant,
            dedupe_key=f"{CHANNEL}:{channel}:{cause}",
            ordering_key=f"{CHANNEL}:{channel}",
        ),
    )


async def refresh_person(session: AsyncSession, tenant: TenantId, user: UserId, *, cause: str) -> None:
    """Have a person read; `cause` as in `refresh_channel`."""
    await enqueue(
        session,
        NewEvent(
            kind=PERSON,
            payload={"user": user},
            tenant=tenant,
            dedupe_key=f"{PERSON}:{user}:{cause}",
            ordering_key=f"{PERSON}:{user}",
        ),
    )


async def refresh_histories(session: AsyncSession, tenant: TenantId) -> None:
    """Have all histories read from their watermarks on."""
    await enqueue(session, NewEvent(kind=HISTORIES, payload={}, tenant=tenant, ordering_key=HISTORIES))
