"""Reading from Slack what its events cannot tell: who was there before, and what was said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from athenaeum.conversations import archive
from athenaeum.conversations.archive import channels, people
from athenaeum.conversations.archive.channels import Channel, read_channel
from athenaeum.conversations.archive.people import read_person
from athenaeum.conversations.sync.gaps import Hear, HistorySource, read_history
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, TenantId, UserId
from athenaeum.errors import Refused, RetryLater
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import MissingScope
from athenaeum.slack.incoming import Malformed

log = structlog.get_logger(__name__)

_TRIES = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Synced:
    """What was read."""

    people: int
    channels: int
    messages: int


async def sync_workspace(
    database: DatabaseConnection, client: SlackClient, tenant: TenantId, *, hear: Hear | None = None
) -> Synced:
    """Read everyone, every channel that the bot may see, its members, and what was said since the last time.

    A channel that Slack doesn't let us read is left as it is; unknown members mean that nobody reads it. What is still
    fresh is told to `hear`, unless this is the first time: nobody was missed before.
    """
    source = HistorySource(database, client, tenant, hear if await _was_read(database, tenant) else None)
    everyone: list[people.Person] = []
    try:
        everyone = [person async for raw in client.users() if (person := _understood(read_person, raw))]
    except (Refused, MissingScope) as error:  # a person unknown is a guest: less is found, nothing is shown wrongly
        log.warning("sync.no_people", error=str(error))
    async with database.session(tenant) as session:
        await people.save(session, everyone)
    listed, messages = await _each_channel(source, _sync)
    log.info("sync.done", tenant=str(tenant), people=len(everyone), channels=listed, messages=messages)
    return Synced(len(everyone), listed, messages)


async def sync_histories(
    database: DatabaseConnection, client: SlackClient, tenant: TenantId, *, hear: Hear | None = None
) -> Synced:
    """Read what was said since the last time, and of channels that are new here everything."""
    async with database.session(tenant) as session:
        known = await channels.named(session)
    source = HistorySource(database, client, tenant, hear if await _was_read(database, tenant) else None)

    async def catch_up(source: HistorySource, raw: Mapping[str, Any]) -> int:
        return await (_read_on if raw.get("id") in known else _sync)(source, raw)

    listed, messages = await _each_channel(source, catch_up)
    log.info("histories.done", tenant=str(tenant), channels=listed, messages=messages)
    return Synced(0, listed, messages)


async def sync_channel(
    database: DatabaseConnection,
    client: SlackClient,
    tenant: TenantId,
    channel: ChannelId,
    *,
    hear: Hear | None = None,
) -> None:
    """Read one channel, its members, and what was said there since the last time."""
    source = HistorySource(database, client, tenant, hear if await _was_read(database, tenant) else None)
    await _sync(source, await client.channel_info(channel))


async def sync_person(database: DatabaseConnection, client: SlackClient, tenant: TenantId, user: UserId) -> None:
    """Read who somebody is."""
    person = read_person(await client.user_info(user))
    async with database.session(tenant) as session:
        await people.save(session, [person])


async def _was_read(database: DatabaseConnection, tenant: TenantId) -> bool:
    async with database.session(tenant) as session:
        return await channels.any_history_was_read(session)


async def _each_channel(
    source: HistorySource, read: Callable[[HistorySource, Mapping[str, Any]], Awaitable[int]]
) -> tuple[int, int]:
    listed = [raw async for raw in source.client.channels()]
    messages = 0
    for raw in listed:
        try:
            messages += await read(source, raw)
        except (Refused, MissingScope) as error:
            log.warning("sync.skipped", channel=raw.get("id"), error=str(error))
        except Malformed as error:
            log.warning("sync.unreadable", error=str(error))
    return len(listed), messages


async def _sync(source: HistorySource, raw: Mapping[str, Any]) -> int:
    await _read_members(source.database, source.client, source.tenant, read_channel(raw))
    return await _read_on(source, raw)


async def _read_on(source: HistorySource, raw: Mapping[str, Any]) -> int:
    channel = read_channel(raw)
    inside = raw.get("is_member") is True or channel.kind in {ChannelKind.DIRECT, ChannelKind.GROUP}
    return await read_history(source, channel) if inside else 0


async def _read_members(database: DatabaseConnection, client: SlackClient, tenant: TenantId, channel: Channel) -> None:
    for _ in range(_TRIES):
        async with database.session(tenant) as session:
            version = await channels.save(session, channel)
            await archive.announce(session)  # messages of a channel wait for its name to be indexed
        members = [UserId(user) async for user in client.members(channel.channel_id)]
        async with database.session(tenant) as session:
            if await channels.replace_members(session, channel.channel_id, members, version=version):
                return
    raise RetryLater(f"the members of {channel.channel_id} change while they are read")


def _understood(read: Callable[[Mapping[str, Any]], T], raw: Mapping[str, Any]) -> T | None:
    """What `read` makes of an object; None for an odd one, which must not cost the others."""
    try:
        return read(raw)
    except Malformed as error:
        log.warning("sync.unreadable", error=str(error))
        return None
