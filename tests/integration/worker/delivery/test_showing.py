from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from athenaeum.domain.approval import Pending, Proposal, ProposedCall
from athenaeum.domain.identity import ApprovalId
from athenaeum.domain.turn import Answer, StepStarted
from athenaeum.errors import LeaseLost
from athenaeum.worker.delivery.content import PLACEHOLDER, Content
from athenaeum.worker.delivery.posting import Posting
from athenaeum.worker.delivery.showing import Showing
from support.stage import ANSWER, ScriptedAgent, Stage


async def test_a_deleted_placeholder_is_replaced_by_a_new_message(stage: Stage) -> None:
    turn = await stage.ask()

    async def delete_the_placeholder() -> None:
        await stage.until(lambda: bool(stage.shown(found)))
        await asyncio.sleep(0)
        stage.sim.world.delete(stage.shown(found)[0])

    found = await stage.look(turn)
    await stage.work(turn, ScriptedAgent(meanwhile=delete_the_placeholder))
    assert await stage.texts(turn) == [ANSWER.text]


async def test_a_message_too_old_to_edit_is_replaced_by_a_new_one(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, token)
    stage.fault("chat.update", "error", error="edit_window_closed")
    await stage.delivery.deliver(turn, token, ANSWER)
    assert await stage.texts(turn.id) == [ANSWER.text]


async def test_who_deletes_every_message_is_left_in_peace(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    for _ in range(4):
        await stage.delivery.deliver(turn, token, ANSWER)
        for message in stage.shown(turn):
            stage.sim.world.delete(message)
    await stage.delivery.deliver(turn, token, ANSWER)
    assert await stage.texts(turn.id) == []


async def test_blocks_that_slack_refuses_are_said_in_plain_text(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, token)
    stage.fault("chat.update", "error", error="invalid_blocks")
    await stage.delivery.deliver(turn, token, ANSWER)
    (message,) = stage.shown(turn)
    assert (message.text, message.blocks) == ("Retry it with athenaeum events retry.", [])


async def test_plain_text_too_long_for_an_update_is_posted_instead(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, token)
    stage.fault("chat.update", "error", error="msg_blocks_too_long")
    await stage.delivery.deliver(turn, token, Answer("word " * 2000))
    (message,) = stage.shown(turn)
    assert message.text.count("word") == 2000


async def test_a_further_part_that_slack_refuses_is_said_in_plain_text(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, token)
    stage.fault("chat.postMessage", "error", error="invalid_blocks")
    await stage.delivery.deliver(turn, token, Answer("\n\n".join(["word " * 1500] * 2)))
    first, second = stage.shown(turn)
    assert first.blocks
    assert not second.blocks
    assert second.text.count("word") == 1500


async def test_the_final_update_is_repeated_until_slack_has_it(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, token)
    stage.fault("chat.update", "500")
    stage.fault("chat.update", "drop_before")
    stage.fault("chat.update", "429", retry_after=1)
    await stage.delivery.deliver(turn, token, ANSWER)
    assert await stage.texts(turn.id) == [ANSWER.text]


async def test_what_a_dead_poster_left_is_swept_away(stage: Stage) -> None:
    stage.ignore_client_msg_ids()
    turn, token = await stage.take(await stage.ask())
    thread = stage.thread(turn, token)
    stage.fault("chat.postMessage", "drop_before")
    await Posting(thread).ensure(0, PLACEHOLDER)
    await thread.post(Content("left by a poster that died"), part=0, generation=0)

    showing = Showing(thread)
    await showing.show(0, Content("The answer."))
    await showing.sweep()
    assert await stage.texts(turn.id) == ["The answer."]


async def test_a_zombies_late_progress_does_not_stay_over_the_answer(stage: Stage) -> None:
    turn, old = await stage.take(await stage.ask())
    feed = stage.delivery.progress(turn, old)
    assert feed is not None

    async def wander() -> None:
        try:
            await feed.run()
        except LeaseLost:
            stray.set()

    stray = asyncio.Event()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(wander())
        await stage.until(lambda: bool(stage.shown(turn)))
        stage.fault("chat.update", "slow", seconds=0.5)
        await feed.show(StepStarted("Searching…"))
        await stage.until(lambda: bool(stage.calls("chat.update")))
        await stage.work(turn.id)
        assert await stage.texts(turn.id) == [ANSWER.text]
        await stray.wait()
    updates = [call["arguments"]["text"] for call in stage.calls("chat.update")]
    assert updates == ["Searching…", "Retry it with athenaeum events retry.", "Retry it with athenaeum events retry."]
    assert await stage.texts(turn.id) == [ANSWER.text]


async def test_a_zombie_that_is_cancelled_puts_right_what_it_overwrote(stage: Stage) -> None:
    turn, old = await stage.take(await stage.ask())
    feed = stage.delivery.progress(turn, old)
    assert feed is not None
    async with asyncio.timeout(10):
        zombie = asyncio.ensure_future(feed.run())
        await stage.until(lambda: bool(stage.shown(turn)))
        stage.fault("chat.update", "slow", seconds=0.5)
        await feed.show(StepStarted("Searching…"))
        await stage.until(lambda: bool(stage.calls("chat.update")))
        await stage.work(turn.id)
        stage.fault("chat.update", "500")  # the first try to put it right
        zombie.cancel()
        await asyncio.wait({zombie})
    assert zombie.cancelled()
    assert await stage.texts(turn.id) == [ANSWER.text]


async def test_a_worker_that_lost_the_turn_shows_its_answer_no_more(stage: Stage) -> None:
    turn, old = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, old)
    await stage.take(turn.id)
    with pytest.raises(LeaseLost):
        await stage.delivery.deliver(turn, old, ANSWER)
    assert await stage.texts(turn.id) == [PLACEHOLDER.text]


async def test_a_proposal_that_comes_too_late_does_not_stay_over_the_answer(stage: Stage) -> None:
    turn, old = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, old)
    proposal = Proposal(ApprovalId(uuid4()), (ProposedCall("call", "post", "Post a message", {}),))
    stage.fault("chat.update", "slow", seconds=0.5)
    async with asyncio.timeout(10):
        late = asyncio.ensure_future(stage.delivery.ask(turn, old, Pending(proposal, turn.created_at)))
        await stage.until(lambda: bool(stage.calls("chat.update")))
        await stage.work(turn.id)
        with pytest.raises(LeaseLost):
            await late
    assert await stage.texts(turn.id) == [ANSWER.text]


async def test_every_update_brings_new_block_ids(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.delivery.placeholder(turn, token)
    for _ in range(2):
        await stage.delivery.deliver(turn, token, ANSWER)
    first, second = (call["arguments"]["blocks"][0]["block_id"] for call in stage.calls("chat.update"))
    assert first != second


async def test_progress_comes_no_faster_than_slack_allows(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    feed = stage.delivery.progress(turn, token)
    assert feed is not None
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(feed.run())
        for n in range(200):
            await feed.show(StepStarted(f"Step {n}"))
            await asyncio.sleep(0.005)
        feed.close()
    assert 1 <= len(stage.calls("chat.update")) <= 17
