from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import TenantId
from athenaeum.events import enqueue_many, queue
from support.events import MINUTE, Queue

BIG, SMALL = TenantId(UUID(int=1)), TenantId(UUID(int=2))
MANY = """
    INSERT INTO queued_events (event_id, tenant_id, kind, payload, state, ready_at)
    SELECT nextval('event_ids'), %s, %s, '{}', %s, clock_timestamp() + %s FROM generate_series(1, %s)"""


async def fill(
    events: Queue, count: int, *, kind: str = "test", state: str = "ready", due: timedelta = timedelta(0)
) -> None:
    """Many events of the big tenant at once."""
    async with await psycopg.AsyncConnection.connect(events.database.url, autocommit=True) as owner:
        await owner.execute(MANY, [BIG, kind, state, due, count])


async def put_many(events: Queue, new: Sequence[NewEvent]) -> None:
    async with events.database.session() as session:
        await enqueue_many(session, new)


class Claimer:
    """Claims as a pool does: it tells whom it served last."""

    def __init__(self, events: Queue) -> None:
        self._link = events.link
        self._after: Event | None = None

    async def claim(self, limit: int = 1) -> list[Event]:
        claimed = await queue.claim(self._link, "test", limit=limit, lease=MINUTE, after=self._after)
        self._after = claimed[-1] if claimed else self._after
        return claimed

    async def one_by_one(self, count: int) -> list[Event]:
        return [event for _ in range(count) for event in await self.claim()]


@pytest.mark.parametrize("limit", [1, 10])
async def test_ten_thousand_events_of_a_tenant_delay_another_by_one_claim_at_most(events: Queue, limit: int) -> None:
    await fill(events, 10_000)
    claimer = Claimer(events)
    for _ in range(3):
        await claimer.claim(limit)
    await events.put(tenant=SMALL)
    assert SMALL in {event.tenant for event in [*await claimer.claim(limit), *await claimer.claim(limit)]}


@pytest.mark.parametrize("limit", [1, 7, 20])
async def test_a_tenant_with_many_kinds_has_one_share_all_the_same(events: Queue, limit: int) -> None:
    for kind in range(10):
        await fill(events, 100, kind=f"kind-{kind}")
    await put_many(events, [NewEvent("test", {}, SMALL) for _ in range(100)])
    claimer = Claimer(events)
    claimed = [event for _ in range(60 // limit) for event in await claimer.claim(limit)]
    share = Counter(event.tenant for event in claimed)[SMALL] / len(claimed)
    assert 0.45 < share < 0.6


async def test_a_claim_of_five_serves_five_tenants_whatever_kinds_they_have(events: Queue) -> None:
    tenants = [TenantId(UUID(int=n)) for n in range(1, 6)]
    await put_many(events, [NewEvent(kind, {}, tenant) for tenant in tenants for kind in "abcde"])
    assert sorted(event.tenant for event in await events.claim(5)) == tenants


async def test_kinds_of_a_tenant_take_turns(events: Queue) -> None:
    await fill(events, 100, kind="big")
    for kind in ("small", "other"):
        for n in range(3):
            await events.put(n, tenant=BIG, kind=kind)
    claimed = await Claimer(events).one_by_one(9)
    assert Counter(event.kind for event in claimed) == {"big": 3, "small": 3, "other": 3}
    assert all(first.kind != second.kind for first, second in pairwise(claimed))


async def test_kinds_of_a_tenant_share_a_claim(events: Queue) -> None:
    await fill(events, 100, kind="big")
    for n in range(10):
        await events.put(n, tenant=BIG, kind="small")
    assert Counter(event.kind for event in await events.claim(10)) == {"big": 5, "small": 5}


async def test_no_kind_starves_while_tenants_take_turns(events: Queue) -> None:
    for kind in ("a", "b"):
        await fill(events, 100, kind=kind)
    await put_many(events, [NewEvent("a", {}, SMALL) for _ in range(100)])
    claimed = await Claimer(events).one_by_one(80)
    kinds = Counter(event.kind for event in claimed if event.tenant == BIG)
    assert min(kinds["a"], kinds["b"]) >= 5  # 40 throws of a coin: fewer come up once in 10 million runs


async def test_what_one_group_leaves_of_its_share_goes_to_the_others(events: Queue) -> None:
    await fill(events, 100)
    await events.put(tenant=SMALL)
    assert Counter(event.tenant for event in await events.claim(20)) == {BIG: 19, SMALL: 1}


def asked(user: str, count: int, **options: object) -> list[NewEvent]:
    return [NewEvent("test", {"user": user}, BIG, fair_key=user, **options) for _ in range(count)]  # type: ignore[arg-type]


async def put(events: Queue, new: Sequence[NewEvent], *, together: bool) -> None:
    if together:
        await put_many(events, new)
        return
    for event in new:
        await put_many(events, [event])


@pytest.mark.parametrize("together", [True, False])
async def test_a_person_with_one_question_does_not_wait_for_another_with_fifty(events: Queue, together: bool) -> None:
    await put(events, asked("busy", 50), together=together)
    await events.claim(20)
    await put(events, asked("new", 2), together=together)
    served = [event.payload["user"] for event in await events.claim(6)]
    assert served.count("new") == 2
    assert served[:2].count("new") >= 1 or served[1:3].count("new") >= 1


@pytest.mark.parametrize("together", [True, False])
async def test_a_persons_events_keep_their_order_whatever_keys_they_have(events: Queue, together: bool) -> None:
    await put(events, [asked("a", 1, ordering_key=key)[0] for key in ("z", "z", "y", "x", "y")], together=together)
    assert await events.sql("SELECT event_id, tag FROM queued_events ORDER BY tag") == [(n, n) for n in range(1, 6)]


@pytest.mark.parametrize("together", [True, False])
async def test_people_share_equally(events: Queue, together: bool) -> None:
    await put(events, [*asked("a", 30), *asked("b", 20), *asked("c", 10)], together=together)
    served = Counter(event.payload["user"] for event in await events.claim(30))
    assert served == {"a": 10, "b": 10, "c": 10}


async def test_who_was_idle_has_saved_nothing_up(events: Queue) -> None:
    await put_many(events, asked("busy", 100))
    await events.claim(50)
    await put_many(events, asked("idle", 50))
    served = Counter(event.payload["user"] for event in await events.claim(20))
    assert served == {"busy": 10, "idle": 10}


async def test_a_person_is_not_charged_for_other_kinds_and_priorities(events: Queue) -> None:
    await put_many(events, [NewEvent("other", {}, BIG, fair_key="busy") for _ in range(50)])
    await put_many(events, asked("busy", 50, priority=-1))
    await put_many(events, [*asked("calm", 10), *asked("busy", 2)])
    served = await queue.claim(events.link, "w", limit=4, lease=MINUTE, kinds=["test"])
    assert Counter(event.payload["user"] for event in served) == {"busy": 2, "calm": 2}


async def test_events_on_nobodys_account_do_not_put_latecomers_ahead(events: Queue) -> None:
    await put_many(events, asked("busy", 60))
    await events.claim(40)
    await put_many(events, [NewEvent("test", {"user": None}, BIG), *asked("late", 30)])
    served = Counter(event.payload["user"] for event in await events.claim(21))
    assert served == {None: 1, "busy": 10, "late": 10}


async def test_priority_is_strict_also_within_one_claim(events: Queue) -> None:
    for n, priority in enumerate([0, 5, -3, 9, 5]):
        await events.put(n, tenant=(BIG, SMALL)[n % 2], priority=priority)
    claimed = await events.claim(4)
    assert [event.payload["n"] for event in claimed] in ([3, 1, 4, 0], [3, 4, 1, 0])
    assert [event.payload["n"] for event in await events.claim()] == [2]


@pytest.mark.parametrize("priority", [2**31 - 1, -(2**31) + 1])
async def test_no_priority_is_too_high_or_too_low(events: Queue, priority: int) -> None:
    await events.put(1, priority=priority)
    await events.put(2)
    claimed = {event.payload["n"] for event in await events.claim()}
    assert (claimed, await events.claim()) == ({1, 2}, [])


async def test_kinds_and_tenants_that_are_not_wanted_are_passed_over_at_every_priority(events: Queue) -> None:
    await events.put(0, tenant=BIG, kind="other", priority=9)
    await events.put(1, tenant=SMALL, priority=9)
    await events.put(2, tenant=BIG)
    claimed = await queue.claim(events.link, "w", limit=9, lease=MINUTE, kinds=["test"], tenants=[BIG, BIG])
    assert [event.payload["n"] for event in claimed] == [2]


@pytest.mark.parametrize("groups", [3, 30])
@pytest.mark.parametrize("limited", [False, True])
async def test_groups_that_others_hold_do_not_hide_the_rest(events: Queue, groups: int, limited: bool) -> None:
    if limited:
        await events.sql("INSERT INTO event_limits VALUES (NULL, 'test', 1000) RETURNING 1")
    for n in range(groups):
        await events.put(n, tenant=TenantId(UUID(int=n + 1)))
    async with await psycopg.AsyncConnection.connect(events.database.url) as holder:
        held = sql.SQL("SELECT FROM queued_events WHERE payload ->> 'n' <> {} FOR UPDATE").format(str(groups - 1))
        await holder.execute(held)
        assert [event.payload["n"] for event in await events.claim(1)] == [groups - 1]
        assert await events.claim(1) == []


async def blocks(events: Queue) -> int:
    """How many blocks of memory or disk a claim of ten looks at."""
    explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT FROM events_claim('w', 10, '1 minute', NULL)"
    [[[told]]] = await events.sql(explain)
    return told["Plan"]["Shared Hit Blocks"] + told["Plan"]["Shared Read Blocks"]


async def test_a_hundred_thousand_delayed_or_blocked_events_cost_a_claim_nothing(events: Queue) -> None:
    await fill(events, 60)
    for _ in range(2):  # plans are made, and hints are set
        await blocks(events)
    alone = await blocks(events)
    await fill(events, 100_000, state="waiting", due=timedelta(days=1))
    await fill(events, 100_000, state="blocked")
    # what a look at the statistics, which PostgreSQL takes by itself, makes it plan anew is counted once
    assert min([await blocks(events) for _ in range(3)]) < alone + 100
