"""Reading a workspace from a simulated Slack."""

from __future__ import annotations

from datetime import UTC, datetime

from athenaeum.conversations.archive import channels
from athenaeum.conversations.archive.channels import Move
from athenaeum.conversations.sync import sync_channel, sync_workspace
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import ChannelId, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.slack.client import SlackClient
from slacksim.people import Person
from slacksim.world import World
from support.slack_events import Store


def channel_id(world: World, name: str) -> ChannelId:
    channel = world.find_channel(name)
    assert channel is not None
    return ChannelId(channel.id)


def user_id(world: World, name: str) -> UserId:
    user = world.find_user(name)
    assert user is not None
    return UserId(user.id)


async def test_everyone_every_channel_and_every_thread_is_read(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store
) -> None:
    await sync_workspace(database, client, tenant.id)

    people = await store.rows("SELECT name, is_guest, is_bot FROM slack_users ORDER BY name")
    assert ("vera", True, False) in people
    kinds = await store.rows("SELECT name, kind, members_read_at IS NOT NULL FROM slack_channels ORDER BY kind, name")
    assert ("general", "public", True) in kinds
    assert ("secret", "private", True) in kinds
    texts = [message.text for message in await store.messages()]
    assert "Pinned in the wiki." in texts
    assert "The budget is 480000 euros." in texts
    assert "Unseen." not in texts


async def test_a_private_channel_without_the_bot_stays_unknown(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store
) -> None:
    await sync_workspace(database, client, tenant.id)
    assert await store.rows("SELECT 1 FROM slack_channels WHERE name = 'hidden'") == []


async def test_a_second_time_only_what_is_new_is_read(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, world: World
) -> None:
    await sync_workspace(database, client, tenant.id)
    Person.named(world, "tom").say("general", "One more thing.")
    again = await sync_workspace(database, client, tenant.id)

    assert again.messages == 1
    assert (await store.messages())[-1].text == "One more thing."


async def test_members_are_replaced_by_those_who_are_there_now(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, world: World
) -> None:
    await sync_workspace(database, client, tenant.id)
    general = world.find_channel("general")
    assert general is not None
    world.leave(general, user_id(world, "vera"))
    await sync_channel(database, client, tenant.id, ChannelId(general.id))

    members = await store.rows("SELECT user_id FROM slack_members WHERE channel_id = :channel", channel=general.id)
    assert user_id(world, "vera") not in {user for (user,) in members}
    assert len(members) == 3


async def test_members_that_changed_while_they_were_read_are_not_believed(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, world: World
) -> None:
    await sync_workspace(database, client, tenant.id)
    secret, maya = channel_id(world, "secret"), user_id(world, "maya")
    async with database.session(tenant.id) as session:
        version = await channels.save(session, channels.read_channel(await client.channel_info(secret)))
    async with database.session(tenant.id) as session:
        await channels.move(session, secret, Move(maya, joined=False, at=datetime.now(UTC)))
    async with database.session(tenant.id) as session:
        assert not await channels.replace_members(session, secret, [maya], version=version)

    assert (maya,) not in await store.rows("SELECT user_id FROM slack_members WHERE channel_id = :c", c=secret)
