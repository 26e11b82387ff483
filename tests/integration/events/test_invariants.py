"""Whatever is done to the queue, in whatever order, nothing is lost and no key stands still."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athenaeum.domain.event import Event, NewEvent
from athenaeum.domain.identity import DEFAULT_TENANT, EventId
from athenaeum.events import admin, enqueue, enqueue_many, queue
from support.events import NOTHING, Queue

RESCUE = "SELECT count(*) FROM events_rescue(3)"
LATER = timedelta(hours=1)
BROKEN = """
    SELECT 'two heads', tenant_id::text, ordering_key FROM queued_events
    WHERE ordering_key IS NOT NULL AND state <> 'blocked' GROUP BY tenant_id, ordering_key HAVING count(*) > 1
    UNION ALL
    SELECT 'stranded', b.tenant_id::text, b.ordering_key FROM queued_events b
    WHERE b.state = 'blocked' AND NOT EXISTS (
        SELECT FROM queued_events h WHERE h.tenant_id = b.tenant_id AND h.ordering_key = b.ordering_key
            AND h.state <> 'blocked')
    UNION ALL
    SELECT 'blocked without a key', event_id::text, state FROM queued_events
    WHERE state = 'blocked' AND ordering_key IS NULL
    UNION ALL
    SELECT 'not where it belongs', id::text, count(*)::text FROM events GROUP BY id HAVING count(*) > 1"""


@dataclass
class Model:
    """What the queue must remember."""

    put: set[EventId] = field(default_factory=set[EventId])
    dropped: set[EventId] = field(default_factory=set[EventId])
    claimed: list[Event] = field(default_factory=list[Event])
    """Of all times; tokens of most are old."""

    async def check(self, events: Queue) -> None:
        assert await events.sql(BROKEN) == []
        assert {row[0] for row in await events.sql("SELECT id FROM events")} == self.put - self.dropped


STEPS = st.one_of(
    st.tuples(st.just("put"), st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.booleans()), max_size=4)),
    st.tuples(st.just("claim"), st.integers(1, 3)),
    st.tuples(
        st.sampled_from(["complete", "retry", "delay", "fail", "release", "cancel", "claim one"]), st.integers(0, 9)
    ),
    st.tuples(st.sampled_from(["revive", "drop", "rescue", "let pass"]), st.integers(0, 9)),
)


async def take(events: Queue, model: Model, step: tuple[str, object]) -> None:  # noqa: C901, PLR0912 - a case each
    name, value = step
    put = sorted(model.put)
    chosen = model.claimed[-1 - int(value) % len(model.claimed)] if model.claimed and isinstance(value, int) else None
    known = put[int(value) % len(put)] if put and isinstance(value, int) else None
    match name:
        case "put":
            assert isinstance(value, list)
            new = [NewEvent("x", {}, DEFAULT_TENANT, ordering_key=k, delay=LATER if d else NOTHING) for k, d in value]
            async with events.database.session() as session:
                if len(new) > 1:
                    model.put |= {found for found in await enqueue_many(session, new) if found}
                else:
                    model.put |= {found for one in new if (found := await enqueue(session, one))}
        case "claim":
            assert isinstance(value, int)
            model.claimed += await queue.claim(events.link, "w", limit=value, lease=NOTHING)
        case "claim one" if known:
            claimed = await queue.claim_one(events.link, "w", known, lease=NOTHING)
            model.claimed += [claimed] if claimed else []
        case "complete" if chosen:
            await queue.complete(events.link, [chosen, *model.claimed[:2]])
        case "retry" | "delay" if chosen:
            await queue.retry(events.link, chosen, "again", after=LATER if name == "delay" else NOTHING)
        case "fail" if chosen:
            await queue.fail(events.link, chosen, "dead")
        case "release" if chosen:
            await queue.release(events.link, [chosen])
        case "rescue":
            await events.sql(RESCUE)
        case "let pass":
            await events.sql("UPDATE queued_events SET ready_at = ready_at - interval '1 hour' RETURNING 1")
        case "cancel" | "revive" | "drop" if known:
            act = {"cancel": admin.cancel, "revive": admin.retry, "drop": admin.drop}[name]
            async with events.database.session() as session:
                try:
                    await act(session, known)
                except admin.NoSuchEvent:
                    return
            model.dropped |= {known} if name == "drop" else set()
        case _:
            pass


async def finish(events: Queue) -> None:
    """Everything that is left can be worked off."""
    await events.sql(RESCUE)
    await events.sql("UPDATE queued_events SET ready_at = clock_timestamp() - interval '1 s' RETURNING 1")
    while claimed := await events.claim():
        await queue.complete(events.link, claimed)
        await events.sql("UPDATE queued_events SET ready_at = clock_timestamp() - interval '1 s' RETURNING 1")
    assert await events.sql("SELECT * FROM queued_events") == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, min_size=5, max_size=25))
async def test_any_order_of_steps_keeps_one_head_for_each_key_and_loses_nothing(
    events: Queue, steps: list[tuple[str, object]]
) -> None:
    with psycopg.connect(events.database.url, autocommit=True) as owner:
        owner.execute("TRUNCATE queued_events, event_keys, failed_events, finished_events")
    model = Model()
    await take(events, model, ("put", [("a", False), ("a", False), ("b", False), ("a", True), (None, False)]))
    await take(events, model, ("claim", 2))
    for step in steps:
        await take(events, model, step)
        await model.check(events)
    await finish(events)


@pytest.mark.parametrize("seed", range(3))
async def test_hands_that_act_at_the_same_time_keep_one_head_for_each_key_and_lose_nothing(
    events: Queue, seed: int
) -> None:
    model = Model()
    names = ["complete"] * 4 + ["retry", "fail", "release", "cancel", "claim one", "revive", "rescue"]

    async def act(chance: Random) -> None:
        async with Queue(events.database) as mine:
            for _ in range(60):
                await take(mine, model, ("put", [(chance.choice("abc"), False) for _ in range(chance.randint(1, 3))]))
                await take(mine, model, ("claim", chance.randint(1, 3)))
                await take(mine, model, (chance.choice(names), chance.randint(0, 9)))

    async with asyncio.timeout(90), asyncio.TaskGroup() as group:
        for n in range(4):
            group.create_task(act(Random(f"{seed} {n}")))
    await model.check(events)
    await finish(events)


async def test_a_stranded_key_would_be_seen(events: Queue) -> None:
    for n in range(2):
        await events.put(n, ordering_key="a")
    with psycopg.connect(events.database.url, autocommit=True) as owner:
        owner.execute("DELETE FROM queued_events WHERE state = 'ready'")
    assert await events.sql(BROKEN) == [("stranded", str(DEFAULT_TENANT), "a")]
