"""Messages in bulk end as the same messages one by one."""

from __future__ import annotations

import random
from typing import Any

import pytest
from psycopg import sql

from athenaeum.conversations import archive
from athenaeum.conversations.archive import bulk, reactions, read_message
from athenaeum.conversations.archive.reactions import Reaction
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import ChannelId, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.slack.incoming import Payload, moment
from support.slack_events import Store

ONE_BY_ONE, IN_BULK = ChannelId("C0001"), ChannelId("C0002")
WORDS = ("", "a", "b", "Straße 🧊")


def history(dice: random.Random) -> list[dict[str, Any]]:
    """Versions of a few messages, early and late, with reactions and deletions among them."""
    return [_record(dice, f"170410320{dice.randrange(4)}.000100") for _ in range(25)]


def _record(dice: random.Random, ts: str) -> dict[str, Any]:
    chance = dice.random()
    if chance < 0.05:
        return {"subtype": "message_deleted", "deleted_ts": ts, "ts": f"17042{dice.randrange(10**5):05}.000000"}
    if chance < 0.1:
        return {"subtype": "tombstone", "ts": ts, "text": "This message was deleted.", "user": "USLACKBOT"}
    record: dict[str, Any] = {"ts": ts, "user": "U0001", "text": dice.choice(WORDS)}
    if dice.random() < 0.5:
        record["edited"] = {"user": "U0001", "ts": f"170420000{dice.randrange(3)}.000000"}
    if dice.random() < 0.3:
        record["thread_ts"] = "1704103200.000100"
    if ts.startswith("1704103203"):
        record |= {"subtype": "bot_message", "bot_id": "B0001"}
    if dice.random() < 0.3:
        record["files"] = [{"id": f"F{dice.randrange(2)}", "name": "plan"}]
    if dice.random() < 0.4:
        record["reactions"] = [{"name": "eyes", "users": [f"U000{dice.randrange(3)}", "U0009"], "count": 2}]
    return record


async def rows(store: Store, channel: ChannelId) -> list[list[tuple[Any, ...]]]:
    tables = ("slack_messages", "slack_message_versions", "slack_reactions")
    drop = "- 'channel_id' - 'indexed_at'"
    return [
        sorted(await store.rows(f"SELECT (to_jsonb(t) {drop})::text FROM {name} t WHERE channel_id = :c", c=channel))
        for name in tables
    ]


async def one_by_one(database: DatabaseConnection, tenant: Tenant, records: list[dict[str, Any]]) -> None:
    for raw in records:
        async with database.session(tenant.id) as session:
            if raw.get("subtype") in {"message_deleted", "tombstone"}:
                gone = Payload(raw).ts("deleted_ts" if "deleted_ts" in raw else "ts")
                await archive.erase(session, ONE_BY_ONE, gone, at=moment(Payload(raw).ts()))
                continue
            message = read_message(raw, ONE_BY_ONE)
            await archive.record(session, message)
            for reaction in raw.get("reactions", []):
                for user in reaction["users"]:
                    given = Reaction(UserId(user), reaction["name"])
                    await reactions.react(session, ONE_BY_ONE, message.ts, given, at=EPOCH, added=True)


EPOCH = moment(Payload({"ts": "0.000000"}).ts())


@pytest.mark.parametrize("seed", range(12))
async def test_bulk_and_one_by_one_give_equal_rows(
    database: DatabaseConnection, tenant: Tenant, store: Store, seed: int
) -> None:
    dice = random.Random(seed)
    records = history(dice)
    await one_by_one(database, tenant, records)
    rest = list(records)
    while rest:
        batch, size = bulk.MessageBatch(), dice.randrange(1, 12)
        for raw in rest[:size]:
            batch.take(raw, IN_BULK)
        del rest[:size]
        async with database.session(tenant.id) as session:
            await bulk.store(session, batch)

    assert await rows(store, IN_BULK) == await rows(store, ONE_BY_ONE)


async def writers(database: DatabaseConnection) -> list[tuple[Any, ...]]:
    """Which transaction wrote each message last; a view, which TimescaleDB needs, does not tell."""
    async with await database.connect() as owner:
        found = await owner.execute("SELECT coalesce(to_regclass('slack_message_store'), 'slack_messages')::text")
        [[table]] = await found.fetchall()
        stored = await owner.execute(sql.SQL("SELECT ts, xmin::text FROM {} ORDER BY ts").format(sql.Identifier(table)))
        return await stored.fetchall()


async def test_a_batch_that_changes_nothing_writes_nothing(database: DatabaseConnection, tenant: Tenant) -> None:
    batch = bulk.MessageBatch()
    for raw in history(random.Random(1)):
        batch.take(raw, IN_BULK)
    async with database.session(tenant.id) as session:
        await bulk.store(session, batch)
    written = await writers(database)
    async with database.session(tenant.id) as session:
        merged = await bulk.store(session, batch)

    assert (merged.new, merged.changed) == (0, 0)
    assert await writers(database) == written
