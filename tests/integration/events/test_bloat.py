"""What a run leaves of the queue's table: nothing that grows from run to run."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from athenaeum.events import queue
from support.events import MINUTE, Queue

EVENTS, AT_ONCE, ROUNDS = 10_000, 100, 5
FILL = """
    INSERT INTO queued_events (event_id, tenant_id, kind, payload, fair_key, ordering_key, state, ready_at)
    SELECT nextval('event_ids'), '00000000-0000-0000-0000-000000000001', 'kind' || mod(n, 3),
           jsonb_build_object('text', repeat('x', 200)), 'U' || mod(n, 50), 'key' || n, 'ready', clock_timestamp()
    FROM generate_series(1, %s) AS n"""
SIZE = "SELECT pg_relation_size('queued_events'), pg_indexes_size('queued_events')"
UPDATES = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'queued_events'"


async def work_off(events: Queue) -> None:
    """Claim, keep alive and complete everything."""
    while claimed := await queue.claim(events.link, "w", limit=AT_ONCE, lease=MINUTE):
        await queue.extend(events.link, claimed, lease=MINUTE)
        await queue.complete(events.link, claimed)


def updates(owner: psycopg.Connection[Any]) -> tuple[int, int]:
    """Of the table's rows, and how many of them changed no index."""
    owner.execute("SELECT pg_stat_force_next_flush()")
    owner.execute("SELECT pg_stat_clear_snapshot()")
    [found] = owner.execute(UPDATES)
    return found


@pytest.mark.timeout(240)
async def test_fifty_thousand_events_need_no_more_room_than_ten_thousand(events: Queue) -> None:
    sizes: list[tuple[int, int]] = []
    with psycopg.connect(events.database.url, autocommit=True) as owner:
        for _ in range(ROUNDS):
            owner.execute(FILL, [EVENTS])
            await work_off(events)
            sizes += owner.execute(SIZE).fetchall()
            owner.execute("VACUUM queued_events")  # as autovacuum does when 1,000 rows and 2 percent are dead
        changed, hot = updates(owner)
    print(f"bytes of heap and indexes after each round: {sizes}; {hot} of {changed} updates changed no index")
    # pages of an index that a round has emptied are used again from the second round after it on
    assert sum(sizes[-1]) <= 1.2 * sum(sizes[1]) <= 1.2 * 2 * sum(sizes[0])


async def test_heartbeats_change_no_index(events: Queue) -> None:
    for n in range(200):
        await events.put(n, ordering_key=f"{n}", fair_key="u")
    claimed = await events.claim(200)
    shares: list[float] = []
    with psycopg.connect(events.database.url, autocommit=True) as owner:
        for _ in range(5):
            await events.sql("SELECT pg_stat_force_next_flush()")
            before = updates(owner)
            for _ in range(20):
                await queue.extend(events.link, claimed, lease=MINUTE)
            await events.sql("SELECT pg_stat_force_next_flush()")
            changed, hot = (after - old for after, old in zip(updates(owner), before, strict=True))
            print(f"{hot} of {changed} heartbeats changed no index")
            assert changed >= 4000
            shares.append(hot / changed)
    # who looks at the table for a moment, as ANALYZE does, keeps its pages from being cleared of old rows
    assert max(shares) > 0.9


async def test_autovacuum_is_told_to_keep_up(events: Queue) -> None:
    [[options]] = await events.sql("SELECT reloptions FROM pg_class WHERE relname = 'queued_events'")
    assert {"fillfactor=70", "autovacuum_vacuum_scale_factor=0.02", "autovacuum_vacuum_cost_delay=0"} <= set(options)
