"""All that was said, read from a simulated Slack."""

from __future__ import annotations

import pytest

from athenaeum.conversations.sync.backfill import BackfillReport, backfill
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.tenant import Tenant
from athenaeum.slack.client import SlackClient
from athenaeum.tenants import register
from slacksim.faults import Fault
from slacksim.model import Message
from slacksim.server import SlackSim
from slacksim.world import World
from support.slack_events import Store
from support.sparse_slack import BOT_TOKEN, SparseSlack


@pytest.fixture(autouse=True)
def _long_ago(world: World) -> None:  # pyright: ignore[reportUnusedFunction]
    """Forty messages, and a thread of forty replies, in #general."""
    general, maya = world.find_channel("general"), world.find_user("maya")
    assert general is not None
    assert maya is not None
    for number in range(40):
        world.post(Message(f"16000000{number:02}.000100", general.id, maya.id, f"Long ago {number}."))
    root = "1600000000.000100"
    for number in range(40):
        world.post(Message(f"16000100{number:02}.000100", general.id, maya.id, f"Reply {number}.", thread_ts=root))


async def texts(store: Store) -> list[str]:
    return sorted(message.text for message in await store.messages())


async def test_everything_is_read_where_the_bot_is(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store
) -> None:
    report = await backfill(database, client, tenant.id)

    stored = await texts(store)
    assert {"Long ago 39.", "Reply 39.", "Pinned in the wiki.", "The budget is 480000 euros."} <= set(stored)
    assert "Unseen." not in stored
    assert (report.channels, report.threads, report.is_clamped) == (3, 2, False)
    assert report.new == len(stored)


async def test_a_second_backfill_changes_nothing(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store
) -> None:
    await backfill(database, client, tenant.id)
    before = await store.rows("SELECT to_jsonb(t)::text FROM slack_messages AS t ORDER BY 1")
    again = await backfill(database, client, tenant.id)

    assert (again.known, again.messages) == (3, 0)
    assert await store.rows("SELECT to_jsonb(t)::text FROM slack_messages AS t ORDER BY 1") == before


@pytest.mark.parametrize("killed_after", [1, 2, 4, 6])
async def test_a_killed_backfill_goes_on_where_it_was(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, sim: SlackSim, killed_after: int
) -> None:
    sim.simulation.limits.configure(enabled=False, history_page=15)
    pages = 0

    def die(report: BackfillReport, total: int, name: str) -> None:
        nonlocal pages
        pages += 1
        if pages == killed_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await backfill(database, client, tenant.id, on_page=die)
    read = len(await store.messages())
    report = await backfill(database, client, tenant.id)

    everything = await texts(store)
    assert {f"Long ago {number}." for number in range(40)} <= set(everything)
    assert {f"Reply {number}." for number in range(40)} <= set(everything)
    assert report.new == len(everything) - read


async def test_the_clamp_of_fifteen_messages_is_found_out(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, sim: SlackSim
) -> None:
    sim.simulation.limits.configure(enabled=False, history_page=15)
    report = await backfill(database, client, tenant.id)

    assert report.is_clamped
    assert "Reply 39." in await texts(store)


async def test_slacks_429_is_waited_out(
    database: DatabaseConnection, client: SlackClient, tenant: Tenant, store: Store, sim: SlackSim
) -> None:
    sim.simulation.faults.plan(Fault("conversations.history", "429", times=1, retry_after=1))
    report = await backfill(database, client, tenant.id)

    assert report.refused == {}
    assert "Long ago 0." in await texts(store)


async def test_a_page_with_odd_objects_costs_no_more_than_these(database: DatabaseConnection) -> None:
    good = {"type": "message", "user": "U1", "text": "Good.", "ts": "1600000000.000100", "reply_count": 1}
    odd = [{"type": "message", "text": "No ts.", "reply_count": 1}, good | {"ts": "yesterday"}]
    reply = good | {"text": "Reply.", "ts": "1600000001.000100", "thread_ts": good["ts"], "reply_count": 0}
    room = {"id": "G0SPARSE", "name": "room", "is_member": True}
    async with SparseSlack() as slack, SlackClient(BOT_TOKEN, base_url=f"http://{slack.url}/api/") as client:
        slack.methods["conversations.list"] = lambda _: {"channels": [room]}
        slack.methods["conversations.history"] = lambda _: {"messages": [*odd, good]}
        slack.methods["conversations.replies"] = lambda _: {"messages": [good, reply, odd[0]]}
        tenant = await register.bind(database, await client.auth_test())
        report = await backfill(database, client, tenant.id)

    assert (report.channels, report.threads, report.refused) == (1, 1, {})
    assert await texts(Store(database, tenant.id)) == ["Good.", "Reply."]
