"""Channels and people that an event mentions are read from Slack by the queue's handlers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from athenaeum.conversations.archive import channels, people
from athenaeum.conversations.archive.channels import Move
from athenaeum.conversations.sync import refresh
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.channel import ChannelKind
from athenaeum.domain.event import Event
from athenaeum.domain.identity import ChannelId, EventId, LeaseToken, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.errors import Discard, Refused, RetryLater
from athenaeum.slack.client import SlackClient
from athenaeum.worker.handlers.channel import ChannelHandler, PersonHandler
from slacksim.world import World
from support.slack_events import Store


def event(tenant: Tenant, kind: str, **payload: Any) -> Event:
    return Event(EventId(1), tenant.id, kind, payload, LeaseToken(1), 1, datetime.now(UTC))


async def test_a_private_channel_met_in_an_event_is_readable_by_its_members_once_it_was_read(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, world: World
) -> None:
    secret, maya = world.find_channel("secret"), world.find_user("maya")
    assert secret is not None
    assert maya is not None
    async with database.session(tenant.id) as session:
        assert await channels.meet(session, ChannelId(secret.id), ChannelKind.PRIVATE)
    assert await store.rows("SELECT members_read_at, is_shared FROM slack_channels") == [(None, True)]

    await ChannelHandler(database, {tenant.id: client}).handle(event(tenant, refresh.CHANNEL, channel=secret.id))

    rows = await store.rows("SELECT name, members_read_at IS NOT NULL, is_shared FROM slack_channels")
    assert rows == [("secret", True, False)]
    assert (maya.id,) in await store.rows("SELECT user_id FROM slack_members")
    assert [message.text for message in await store.messages()] == ["The budget is 480000 euros."]


async def test_a_person_counts_as_a_guest_until_they_were_read(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, world: World
) -> None:
    maya = world.find_user("maya")
    assert maya is not None
    async with database.session(tenant.id) as session:
        assert await people.meet(session, UserId(maya.id))
        assert not await people.meet(session, UserId(maya.id))
    assert await store.rows("SELECT is_guest FROM slack_users") == [(True,)]

    await PersonHandler(database, {tenant.id: client}).handle(event(tenant, refresh.PERSON, user=maya.id))

    assert await store.rows("SELECT name, is_guest FROM slack_users") == [("maya", False)]


async def test_what_slack_does_not_show_us_stays_unknown(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant
) -> None:
    with pytest.raises(Discard):
        await ChannelHandler(database, {tenant.id: client}).handle(event(tenant, refresh.CHANNEL, channel="C404"))


async def test_a_workspace_without_a_client_yet_is_tried_again(database: DatabaseConnection, tenant: Tenant) -> None:
    with pytest.raises(RetryLater):
        await PersonHandler(database, {}).handle(event(tenant, refresh.PERSON, user="U1"))


async def test_a_payload_without_its_field_is_refused(database: DatabaseConnection, tenant: Tenant) -> None:
    with pytest.raises(Refused):
        await ChannelHandler(database, {}).handle(event(tenant, refresh.CHANNEL))


async def test_a_public_channel_that_turns_private_is_read_by_nobody_until_it_was_read_again(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, world: World
) -> None:
    general = world.find_channel("general")
    assert general is not None
    await ChannelHandler(database, {tenant.id: client}).handle(event(tenant, refresh.CHANNEL, channel=general.id))
    async with database.session(tenant.id) as session:
        assert await channels.meet(session, ChannelId(general.id), ChannelKind.PRIVATE)

    rows = await store.rows("SELECT kind, members_read_at, is_shared FROM slack_channels")
    assert rows == [("private", None, True)]


async def test_an_event_never_widens_a_private_channel(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, world: World
) -> None:
    secret = world.find_channel("secret")
    assert secret is not None
    await ChannelHandler(database, {tenant.id: client}).handle(event(tenant, refresh.CHANNEL, channel=secret.id))
    async with database.session(tenant.id) as session:
        assert await channels.meet(session, ChannelId(secret.id), ChannelKind.PUBLIC)

    assert await store.rows("SELECT kind FROM slack_channels") == [("private",)]


async def test_a_late_join_lets_nobody_into_a_private_channel(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, world: World
) -> None:
    secret, tom = world.find_channel("secret"), world.find_user("tom")
    assert secret is not None
    assert tom is not None
    await ChannelHandler(database, {tenant.id: client}).handle(event(tenant, refresh.CHANNEL, channel=secret.id))
    async with database.session(tenant.id) as session:
        assert await channels.move(
            session, ChannelId(secret.id), Move(UserId(tom.id), joined=True, at=datetime.now(UTC))
        )

    assert (tom.id,) not in await store.rows("SELECT user_id FROM slack_members")
