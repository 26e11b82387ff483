"""Reading from Slack what its events cannot tell: who was there before, and what was said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog

from athenaeum.conversations import archive, channels, people
from athenaeum.conversations.archive import Message, read_message
from athenaeum.conversations.channels import Channel, read_channel
from athenaeum.conversations.people import read_person
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.identity import ChannelId, MessageTs, TenantId, UserId
from athenaeum.errors import Refused, RetryLater
from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import MissingScope
from athenaeum.slack.incoming import Malformed

log = structlog.get_logger(__name__)

HISTORY = 1000
"""Messages read of a channel in one go, the newest; threads are read with at most as many replies."""
_BATCH = 100
_TRIES = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Synced:
    """What was read."""

    people: int
    channels: int
    messages: int


async def sync_workspace(database: DatabaseConnection, client: SlackClient, tenant: TenantId) -> Synced:
    """Read everyone, every channel that the bot may see, its members, and what was said since the last time.

    A channel that Slack doesn't let us read is left as it is; unknown members mean that nobody reads it.
    """
    everyone: list[people.Person] = []
    try:
        everyone = [person async for raw in client.users() if (person := _understood(read_person, raw))]
    except (Refused, MissingScope) as error:  # a person unknown is a guest: less is found, nothing is shown wrongly
        log.warning("sync.no_people", error=str(error))
    async with database.session(tenant) as session:
        await people.save(session, everyone)
    listed = [raw async for raw in client.channels()]
    messages = 0
    for raw in listed:
        try:
            messages += await _sync(database, client, tenant, raw)
        except (Refused, MissingScope) as error:
            log.warning("sync.skipped", channel=raw.get("id"), error=str(error))
        except Malformed as error:
            log.warning("sync.unreadable", error=str(error))
    log.info("sync.done", tenant=str(tenant), people=len(everyone), channels=len(listed), messages=messages)
    return Synced(len(everyone), len(listed), messages)


async def sync_channel(database: DatabaseConnection, client: SlackClient, tenant: TenantId, channel: ChannelId) -> None:
    """Read one channel, its members, and what was said there since the last time."""
    await _sync(database, client, tenant, await client.channel_info(channel))


async def sync_person(database: DatabaseConnection, client: SlackClient, tenant: TenantId, user: UserId) -> None:
    """Read who somebody is."""
    person = read_person(await client.user_info(user))
    async with database.session(tenant) as session:
        await people.save(session, [person])


async def _sync(database: DatabaseConnection, client: SlackClient, tenant: TenantId, raw: Mapping[str, Any]) -> int:
    channel = read_channel(raw)
    await _read_members(database, client, tenant, channel)
    inside = raw.get("is_member") is True or channel.kind in {ChannelKind.DIRECT, ChannelKind.GROUP}
    return await _read_history(database, client, tenant, channel.channel_id) if inside else 0


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


async def _read_history(database: DatabaseConnection, client: SlackClient, tenant: TenantId, channel: ChannelId) -> int:
    async with database.session(tenant) as session:
        read_to = await channels.history_read_to(session, channel)
    count, newest, batch = 0, read_to, list[Message]()
    async for message in _said(client, channel, read_to):
        newest = max(newest or message.ts, message.ts) if message.thread_ts in {None, message.ts} else newest
        batch.append(message)
        count += 1
        if len(batch) == _BATCH:
            await _store(database, tenant, batch)
            batch.clear()
    await _store(database, tenant, batch)
    async with database.session(tenant) as session:
        if newest is not None:
            await channels.note_history(session, channel, newest)
    return count


async def _said(client: SlackClient, channel: ChannelId, after: MessageTs | None) -> AsyncIterator[Message]:
    left, threads = HISTORY, list[MessageTs]()
    read = partial(read_message, channel=channel)
    async for raw in client.history(channel, after=after):
        if (message := _understood(read, raw)) is None:
            continue
        if raw.get("reply_count"):
            threads.append(message.ts)
        yield message
        left -= 1
        if left == 0:
            break
    left = HISTORY
    for thread in threads:
        async for raw in client.replies(channel, thread, after=after):
            message = _understood(read, raw)
            if message is not None and message.ts != thread and left > 0:
                yield message
                left -= 1


def _understood(read: Callable[[Mapping[str, Any]], T], raw: Mapping[str, Any]) -> T | None:
    """What `read` makes of an object; None for an odd one, which must not cost the others."""
    try:
        return read(raw)
    except Malformed as error:
        log.warning("sync.unreadable", error=str(error))
        return None


async def _store(database: DatabaseConnection, tenant: TenantId, messages: list[Message]) -> None:
    async with database.session(tenant) as session:
        await archive.record_many(session, messages)
