"""What the broker is told: the ids of what is runnable, in a fair order, again when a message is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from athenaeum.database.link import Link
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.events import outbox
from athenaeum.events.queue import claim_one, release
from athenaeum.tenants import register
from support.slack_events import IDENTITY

if TYPE_CHECKING:
    from athenaeum.domain.identity import EventId, TenantId
    from conftest import Post

MINUTE = timedelta(minutes=1)


async def send(
    link: Link, *, bound: int = 64, patience: timedelta = MINUTE, tenants: list[TenantId] | None = None
) -> list[EventId]:
    return [*(await outbox.send(link, bound=bound, patience=patience, tenants=tenants)).ids]


async def test_an_event_is_told_once(post: Post) -> None:
    ids = await post.enqueue(1, 2, 3)
    async with Link(post.database) as link:
        assert await send(link) == ids
        assert await send(link) == []


async def test_no_more_are_told_than_the_bound_until_they_are_claimed(post: Post) -> None:
    ids = await post.enqueue(*range(5))
    async with Link(post.database) as link:
        batch = await outbox.send(link, bound=2, patience=MINUTE)
        assert (list(batch.ids), batch.full) == (ids[:2], True)
        assert await send(link, bound=2) == []
        await claim_one(link, "w", ids[0], lease=MINUTE)
        assert await send(link, bound=2) == [ids[2]]


async def test_what_nobody_has_claimed_in_time_is_told_again(post: Post) -> None:
    ids = await post.enqueue(1)
    async with Link(post.database) as link:
        assert await send(link, patience=timedelta(0)) == ids
        assert await send(link, patience=timedelta(0)) == ids


async def test_what_is_handed_back_is_told_at_once(post: Post) -> None:
    (event,) = await post.enqueue(1)
    async with Link(post.database) as link:
        await send(link)
        claimed = await claim_one(link, "w", event, lease=MINUTE)
        assert claimed is not None
        await release(link, [claimed])
        assert await send(link) == [event]


async def test_what_is_not_due_is_not_told(post: Post) -> None:
    await post.enqueue(1, delay=MINUTE)
    async with Link(post.database) as link:
        assert await send(link) == []
        await link.fetch("UPDATE queued_events SET ready_at = now() RETURNING 1", ())
        assert len(await send(link)) == 1


async def test_of_an_ordering_key_the_head_alone_is_told(post: Post) -> None:
    head, _ = await post.enqueue(1, 2, ordering_key="thread")
    async with Link(post.database) as link:
        assert await send(link) == [head]


async def test_the_urgent_go_first(post: Post) -> None:
    later = await post.enqueue(1)
    urgent = await post.enqueue(2, priority=5)
    async with Link(post.database) as link:
        assert await send(link) == urgent + later


async def test_tenants_take_turns(post: Post) -> None:
    await register.bind(post.database, IDENTITY)
    other = (await register.bind(post.database, replace(IDENTITY, team_id="T0002"))).id
    many = await post.enqueue(*range(10))
    few = await post.enqueue(1, 2, tenant=other)
    async with Link(post.database) as link:
        told = await send(link, bound=4)
    assert set(told) == {*many[:2], *few}


async def test_a_tenant_that_is_not_asked_for_is_left_to_others(post: Post) -> None:
    await post.enqueue(1)
    async with Link(post.database) as link:
        assert await send(link, tenants=[]) == []
        assert len(await send(link, tenants=[DEFAULT_TENANT])) == 1


async def test_what_a_limit_keeps_from_running_is_not_told(post: Post) -> None:
    ids = await post.enqueue(1, 2, 3)
    async with Link(post.database) as link:
        await link.fetch("INSERT INTO event_limits (kind, at_most) VALUES ('k', 1) RETURNING 1", ())
        assert await send(link) == ids[:1]
        await claim_one(link, "w", ids[0], lease=MINUTE)
        assert await send(link) == []


async def test_two_relays_tell_of_each_event_once(post: Post) -> None:
    async with post.relaying(), post.relaying():
        await post.enqueue(*range(20))
        await post.until(lambda: post.messages() >= 20)
    assert post.messages() == 20


async def test_a_broker_that_is_away_is_waited_for(post: Post) -> None:
    post.server.stop()
    with capture_logs() as logs:
        async with post.relaying() as relay:
            await post.enqueue(1)
            await post.until(lambda: not relay.broker_answers)
            post.server.start()
            await post.until(lambda: relay.broker_answers)
    assert post.messages() == 1
    assert [entry["event"] for entry in logs if entry["event"].startswith("broker.")] == ["broker.away", "broker.back"]
