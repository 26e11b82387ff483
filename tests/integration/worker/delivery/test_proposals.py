"""A turn that waits for its asker: how it comes to wait, whoever dies, and how it ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.conversations import turns
from athenaeum.conversations.turns import Ruling
from athenaeum.domain.approval import Proposal, ProposedCall
from athenaeum.domain.identity import DEFAULT_TENANT, ApprovalId, TurnId, UserId
from athenaeum.domain.turn import StepStarted
from athenaeum.errors import APOLOGY, LeaseLost, Refused
from athenaeum.slack.formatting import APPROVE, DENY
from athenaeum.worker.delivery import Delivery
from athenaeum.worker.handlers.turn import TurnHandler
from athenaeum.worker.janitor import Janitor
from slacksim.model import Message
from support.mortality import Death, Life, MortalDatabase, live
from support.stage import ANSWER, ScriptedAgent, Stage

CALL = ProposedCall("call-1", "post_note", "Post a note", {"text": "The freeze is on Friday."})
EXPIRED = "I had asked you to approve this and heard nothing in time"


def proposal() -> Proposal:
    return Proposal(ApprovalId(uuid4()), (CALL,))


def buttons(message: Message) -> list[str]:
    found = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [element["action_id"] for elements in found for element in elements]


async def decide(stage: Stage, turn: TurnId, proposed: Proposal, *, approved: bool = True) -> Ruling:
    found = await stage.look(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        ruling, _ = await turns.decide(session, proposed.id, user=found.asker, channel=found.channel, approved=approved)
    return ruling


async def rows(stage: Stage, statement: str) -> list[tuple[object, ...]]:
    async with stage.database.session(DEFAULT_TENANT) as session:
        result = await session.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []  # pyright: ignore[reportAttributeAccessIssue]


async def test_a_worker_that_dies_at_any_step_leaves_one_message_that_asks(stage: Stage) -> None:
    steps, died = 0, True
    while died:
        turn = await stage.ask()
        agent = ScriptedAgent(proposal(), progress=(StepStarted("Searching documents…"),))
        life = Life(steps)
        try:
            await live(stage, stage.event(turn), agent, life)
        except (Death, BaseExceptionGroup):
            assert life.ended
        died = life.ended
        await live(stage, stage.event(turn, attempt=2), agent, Life())
        (shown,) = stage.shown(await stage.look(turn))
        assert buttons(shown) == [APPROVE, DENY], f"after a death at step {steps}"
        steps += 3
    assert steps > 15


async def test_a_worker_that_comes_to_ask_what_was_decided_meanwhile_asks_nothing(stage: Stage) -> None:
    turn, proposed = await stage.ask(), proposal()
    await stage.work(turn, ScriptedAgent(proposed))
    (asked,) = stage.shown(await stage.look(turn))
    updates = len(stage.calls("chat.update"))
    assert await decide(stage, turn, proposed) is Ruling.TAKEN

    await stage.work(turn, ScriptedAgent(proposed), attempt=2)

    assert len(stage.calls("chat.update")) == updates
    assert stage.shown(await stage.look(turn)) == [asked]
    assert (await stage.look(turn)).finished_at is None
    await stage.work(turn)
    assert await stage.texts(turn) == [ANSWER.text]


async def test_a_decision_puts_the_turn_behind_the_other_questions_of_its_thread_once(stage: Stage) -> None:
    turn, proposed = await stage.ask(), proposal()
    await stage.work(turn, ScriptedAgent(proposed))
    before = await rows(stage, "SELECT ordering_key FROM queued_events")

    assert await decide(stage, turn, proposed) is Ruling.TAKEN
    assert await decide(stage, turn, proposed, approved=False) is Ruling.DECIDED

    after = await rows(stage, "SELECT ordering_key FROM queued_events")
    assert after == before * 2
    assert len(after) == 2


async def test_a_turn_that_proposes_something_else_does_not_wait_for_the_former_any_more(stage: Stage) -> None:
    turn, former, later = await stage.ask(), proposal(), proposal()
    await stage.work(turn, ScriptedAgent(former))
    await stage.work(turn, ScriptedAgent(later), attempt=2)

    assert await decide(stage, turn, former) is Ruling.OVER
    assert await decide(stage, turn, later) is Ruling.TAKEN


async def test_what_was_proposed_before_and_is_proposed_again_can_be_decided(stage: Stage) -> None:
    turn, former, later = await stage.ask(), proposal(), proposal()
    for attempt, proposed in enumerate((former, later, former)):
        await stage.work(turn, ScriptedAgent(proposed), attempt=attempt + 1)

    assert await decide(stage, turn, later) is Ruling.OVER
    assert await decide(stage, turn, former) is Ruling.TAKEN


async def test_nobody_decides_for_a_turn_that_is_over(stage: Stage) -> None:
    turn, proposed = await stage.ask(), proposal()
    await stage.work(turn, ScriptedAgent(proposed))
    await stage.work(turn)

    assert await decide(stage, turn, proposed) is Ruling.OVER


async def test_a_worker_that_lost_the_turn_lets_nobody_wait(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    await stage.take(turn.id)

    with pytest.raises(LeaseLost):
        async with stage.database.session(DEFAULT_TENANT) as session:
            await turns.park(session, turn, token, proposal())

    assert await rows(stage, "SELECT 1 FROM approvals") == []


async def test_progress_of_a_worker_that_lost_the_turn_does_not_hide_the_buttons(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    feed = stage.delivery.progress(turn, token)
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
        await stage.work(turn.id, ScriptedAgent(proposal()))
        await stray.wait()
    (shown,) = stage.shown(turn)
    assert buttons(shown) == [APPROVE, DENY]


async def test_a_janitor_that_dies_while_it_ends_a_proposal_is_followed_by_one_that_says_the_same(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn, ScriptedAgent(proposal()))
    await rows(stage, "UPDATE approvals SET expires_at = now() - interval '1 second'")
    async with stage.database.session() as session:
        await session.execute(text("DELETE FROM queued_events"))
    died = 0
    for steps in range(0, 30, 2):
        life = Life(steps)
        async with MortalDatabase(stage.database.url, life) as database:
            handler = TurnHandler(database, ScriptedAgent(), Delivery(database, {DEFAULT_TENANT: stage.slack}))
            try:
                await Janitor(database, handler, patience=timedelta(0)).run_once()
            except (Death, BaseExceptionGroup):
                died += 1
    (said,) = await stage.texts(turn)
    assert died >= 3
    assert said.startswith(EXPIRED)
    assert (await stage.look(turn)).finished_at is not None


async def test_who_slept_over_the_end_of_a_proposal_says_nothing_instead_of_the_apology(stage: Stage) -> None:
    turn, token = await stage.take(await stage.ask())
    async with stage.database.session(DEFAULT_TENANT) as session:
        await turns.park(session, turn, token, proposal(), lasting=timedelta(seconds=-1))

    async with stage.database.session(DEFAULT_TENANT) as session:
        assert await turns.expire(session, turn, stage.event(turn.id).token, replace(ANSWER, text=EXPIRED))

    with pytest.raises(LeaseLost):
        async with stage.database.session(DEFAULT_TENANT) as session:
            await turns.save_answer(session, turn.id, token, ANSWER)


async def test_a_decision_at_the_last_moment_is_not_overruled_by_the_janitor(stage: Stage) -> None:
    turn, proposed = await stage.ask(), proposal()
    await stage.work(turn, ScriptedAgent(proposed))
    overdue = await stage.look(turn)
    assert await decide(stage, turn, proposed) is Ruling.TAKEN
    await rows(stage, "UPDATE approvals SET expires_at = now() - interval '1 second'")

    assert await stage.handler(ScriptedAgent()).expire(overdue, stage.event(turn).token)

    await stage.work(turn)
    assert await stage.texts(turn) == [ANSWER.text]


async def test_an_apology_after_a_change_was_begun_says_that_it_may_have_been_done(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn, ScriptedAgent(proposal()))
    begun = "INSERT INTO steps (tenant_id, turn_id, name, seq, once, fence)"
    await rows(stage, f"{begun} SELECT tenant_id, turn_id, 'post_note', 0, true, fence FROM turns")

    await stage.handler(ScriptedAgent()).give_up(stage.event(turn), Refused("no credit"))

    (said,) = await stage.texts(turn)
    assert (
        said == f"{APOLOGY} Something that you approved may have been done already: please look before you ask again."
    )


async def test_a_stranger_is_told_apart_from_the_asker(stage: Stage) -> None:
    turn, proposed = await stage.ask(), proposal()
    await stage.work(turn, ScriptedAgent(proposed))
    found = await stage.look(turn)

    async with stage.database.session(DEFAULT_TENANT) as session:
        stranger = await turns.decide(
            session, proposed.id, user=UserId("U0STRANGER"), channel=found.channel, approved=True
        )

    assert stranger == (Ruling.NOT_YOURS, found)
