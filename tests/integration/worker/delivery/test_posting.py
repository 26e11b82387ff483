from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from athenaeum.domain.identity import LeaseToken, MessageTs
from athenaeum.errors import LeaseLost
from athenaeum.slack.errors import Ambiguous, RateLimited, Unreachable
from athenaeum.worker.delivery import intents
from athenaeum.worker.delivery.content import PLACEHOLDER, Content
from athenaeum.worker.delivery.posting import Posted, Posting
from support.stage import Stage


async def test_a_message_is_posted_with_its_id_and_its_metadata(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    posted = await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)

    (message,) = stage.shown(turn)
    assert posted.ts == message.ts
    assert posted.fresh
    assert message.thread_ts == turn.thread_ts
    assert message.metadata == {
        "event_type": "athenaeum_turn",
        "event_payload": {"turn": str(turn.id), "part": 0, "generation": 0},
    }
    assert message.client_msg_id is not None
    assert not message.unfurls


async def test_a_message_that_stands_is_not_posted_again(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    first = await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    second = await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    assert second.ts == first.ts
    assert not second.fresh
    assert len(stage.calls("chat.postMessage")) == 1


async def test_two_posters_make_one_message(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "slow", seconds=0.1)
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)) for _ in range(2)]
    assert len({posted.result().ts for posted in both}) == 1
    assert sorted(posted.result().fresh for posted in both) == [False, True]
    assert len(stage.calls("chat.postMessage")) == 1


async def test_a_post_whose_response_was_lost_is_adopted_from_the_thread(stage: Stage) -> None:
    stage.ignore_client_msg_ids()
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "drop_after")
    await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    assert len(stage.shown(turn)) == 1
    assert len(stage.calls("chat.postMessage")) == 1


async def test_a_poster_that_leaves_in_doubt_holds_up_nobody(stage: Stage) -> None:
    stage.timing = replace(stage.timing, lease=timedelta(minutes=1), patience=timedelta(0))
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "drop_after")
    with pytest.raises(Ambiguous):
        await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    stage.timing = replace(stage.timing, patience=timedelta(seconds=8))
    heir, token = await stage.take(turn.id)
    assert not (await Posting(stage.thread(heir, token)).ensure(0, PLACEHOLDER)).fresh
    assert len(stage.shown(turn)) == 1


async def test_the_message_of_a_poster_that_died_is_adopted_before_its_right_runs_out(stage: Stage) -> None:
    stage.ignore_client_msg_ids()
    stage.timing = replace(stage.timing, lease=timedelta(minutes=1), glance=timedelta(milliseconds=20))
    turn, token = await stage.take(await stage.ask())
    async with stage.database.session(turn.tenant) as session:
        await intents.declare(session, turn, 0)
        await intents.lease(session, turn, 0, poster=uuid4(), token=token, lasting=stage.timing.lease)
    left = await stage.thread(turn, token).post(PLACEHOLDER, part=0, generation=0)

    heir, newer = await stage.take(turn.id)
    assert await Posting(stage.thread(heir, newer)).ensure(0, PLACEHOLDER) == Posted(left, fresh=False)
    assert len(stage.shown(turn)) == 1


async def test_who_waits_for_a_poster_that_lives_adopts_what_it_posts(stage: Stage) -> None:
    stage.ignore_client_msg_ids()
    stage.timing = replace(stage.timing, lease=timedelta(minutes=1), glance=timedelta(milliseconds=20))
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "slow", seconds=0.5)
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)) for _ in range(2)]
    assert len({posted.result().ts for posted in both}) == len(stage.shown(turn)) == 1


async def test_a_post_that_never_arrived_is_repeated_after_three_looks(stage: Stage) -> None:
    stage.timing = replace(stage.timing, read_back=(timedelta(0),) * 3)
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "drop_before")
    await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    assert len(stage.shown(turn)) == 1
    assert len(stage.calls("conversations.replies")) == 3


async def test_a_late_post_of_a_zombie_is_withdrawn_by_it(stage: Stage) -> None:
    stage.ignore_client_msg_ids()
    stage.timing = replace(stage.timing, lease=timedelta(milliseconds=50))
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "slow", seconds=0.6)
    async with asyncio.TaskGroup() as tasks:
        zombie = tasks.create_task(Posting(stage.thread(turn, token)).ensure(0, Content("zombie")))
        await stage.until(lambda: bool(stage.calls("chat.postMessage")))
        await Posting(stage.thread(turn, token)).ensure(0, Content("heir"))
    assert [message.text for message in stage.shown(turn)] == ["heir"]
    assert zombie.result().ts == stage.shown(turn)[0].ts


async def test_a_late_post_of_a_zombie_that_is_cancelled_is_withdrawn_all_the_same(stage: Stage) -> None:
    stage.ignore_client_msg_ids()
    stage.timing = replace(stage.timing, lease=timedelta(milliseconds=50))
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "slow", seconds=0.6)
    zombie = asyncio.ensure_future(Posting(stage.thread(turn, token)).ensure(0, Content("zombie")))
    await stage.until(lambda: bool(stage.calls("chat.postMessage")))
    await Posting(stage.thread(turn, token)).ensure(0, Content("heir"))
    zombie.cancel()
    await asyncio.wait({zombie})
    await stage.until(lambda: all(call["ms"] for call in stage.calls("chat.postMessage")))
    assert zombie.cancelled()
    assert [message.text for message in stage.shown(turn)] == ["heir"]


async def test_a_placeholder_deleted_before_its_ts_was_recorded_is_posted_anew(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    thread = stage.thread(turn, token)
    lost = await thread.post(PLACEHOLDER, part=0, generation=0)
    await thread.remove(lost)
    await Posting(thread).ensure(0, PLACEHOLDER)
    assert len(stage.shown(turn)) == 1


async def test_a_rate_limit_is_waited_out_without_reading_the_thread(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "429", retry_after=1)
    await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    assert len(stage.shown(turn)) == 1
    assert stage.calls("conversations.replies") == []


async def test_a_long_rate_limit_goes_back_to_the_queue_with_its_time(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    stage.fault("chat.postMessage", "429", retry_after=30)
    with pytest.raises(RateLimited) as limited:
        await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    assert limited.value.after == timedelta(seconds=30)


async def test_a_slack_that_stays_away_goes_back_to_the_queue(stage: Stage) -> None:
    stage.timing = replace(stage.timing, patience=timedelta(milliseconds=300))
    turn, token = await stage.take(await stage.ask())
    stage.fault("*", "500", times=1000)
    with pytest.raises(Ambiguous):
        await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)


async def test_an_archived_channel_is_refused_and_leaves_no_doubt_behind(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    channel = stage.sim.world.channels[turn.channel]
    stage.sim.world.set_archived(channel, "maya", archived=True)
    with pytest.raises(Unreachable, match="is_archived"):
        await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    async with stage.database.session(turn.tenant) as session:
        assert await intents.read(session, turn, 0) == intents.Intent(part=0, generation=0, attempts=0, ts=None)


async def test_an_older_token_posts_nothing(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.take(turn.id)
    with pytest.raises(LeaseLost):
        await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    assert stage.shown(turn) == []


async def test_the_greeters_token_is_lost_as_soon_as_somebody_takes_the_turn(stage: Stage) -> None:
    turn, _ = await stage.take(await stage.ask())
    with pytest.raises(LeaseLost):
        await Posting(stage.thread(turn, LeaseToken(0))).ensure(0, PLACEHOLDER)


async def test_the_first_recorded_ts_counts(stage: Stage) -> None:
    turn, _ = await stage.take(await stage.ask())
    async with stage.database.session(turn.tenant) as session:
        await intents.declare(session, turn, 0)
        intent = await intents.read(session, turn, 0)
        assert intent is not None
        assert await intents.record(session, turn, intent, MessageTs("1.000001")) == "1.000001"
        assert await intents.record(session, turn, intent, MessageTs("1.000002")) == "1.000001"


async def test_a_thread_that_may_not_be_read_relies_on_slacks_own_check(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    stage.sim.world.app.scopes.remove("channels:history")
    stage.fault("chat.postMessage", "drop_after")
    await Posting(stage.thread(turn, token)).ensure(0, PLACEHOLDER)
    assert len(stage.shown(turn)) == 1
