"""A turn that is stopped: while it waits, while the model works, while it asks, whoever dies; and too late."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.conversations import archive, turns
from athenaeum.conversations.turns import Ruling, Stopping
from athenaeum.domain.approval import Proposal, ProposedCall
from athenaeum.domain.identity import DEFAULT_TENANT, ApprovalId, TurnId, UserId
from athenaeum.domain.turn import StepStarted
from athenaeum.errors import LeaseLost
from athenaeum.slack.formatting import STOP
from athenaeum.worker.greeter import Greeter
from support.mortality import Death, Life, live
from support.stage import ANSWER, ScriptedAgent, Stage

STOPPED = ["Stopped."]
SEARCHING = StepStarted("Searching documents…")


async def stop(stage: Stage, turn: TurnId, *, user: str | None = None) -> Stopping:
    found = await stage.look(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        ruling, _ = await turns.stop(session, turn, user=UserId(user or found.asker), channel=found.channel)
    return ruling


async def state(stage: Stage, turn: TurnId) -> str:
    [(found,)] = await rows(stage, f"SELECT state FROM turns WHERE turn_id = '{turn}'")
    return str(found)


async def rows(stage: Stage, statement: str) -> list[tuple[object, ...]]:
    async with stage.database.session(DEFAULT_TENANT) as session:
        result = await session.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else []  # pyright: ignore[reportAttributeAccessIssue]


async def stop_events(stage: Stage) -> int:
    async with stage.database.session() as session:
        found = await session.execute(text("SELECT count(*) FROM queued_events WHERE kind = 'stop'"))
        return found.scalar_one()


class Thinking:
    """A model that comes to no end."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = False

    async def __call__(self) -> None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_the_placeholder_can_be_stopped_and_so_can_all_that_comes_before_the_answer(stage: Stage) -> None:
    turn = await stage.ask()

    async def looked() -> None:
        await stage.until(
            lambda: any(call["arguments"]["text"] == SEARCHING.label for call in stage.calls("chat.update"))
        )

    await stage.work(turn, ScriptedAgent(progress=(SEARCHING,), meanwhile=looked))

    posted, *updates = [*stage.calls("chat.postMessage"), *stage.calls("chat.update")]
    assert STOP in str(posted["arguments"]["blocks"])
    assert STOP in str(updates[0]["arguments"]["blocks"])
    assert STOP not in str(updates[-1]["arguments"]["blocks"])


async def test_a_turn_that_waits_is_stopped_and_nobody_works_on_it(stage: Stage) -> None:
    turn = await stage.ask()

    assert await stop(stage, turn) is Stopping.STOPPED
    assert await stop_events(stage) == 1
    agent = ScriptedAgent()
    for _ in range(2):  # the event of the stop, and that of the question
        await stage.work(turn, agent)

    assert await stage.texts(turn) == STOPPED
    assert await state(stage, turn) == "stopped"
    assert agent.questions == []


async def test_while_no_worker_is_free_the_placeholder_already_says_that_the_turn_was_stopped(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.delivery.placeholder(await stage.look(turn), (await stage.look(turn)).fence)
    await stop(stage, turn)

    greeter = Greeter(stage.database, stage.delivery, unseen=timedelta(0))
    await greeter.run_once()

    assert await stage.texts(turn) == STOPPED


async def test_a_model_at_work_is_cut_off_and_the_event_of_the_stop_says_so(stage: Stage) -> None:
    turn, model = await stage.ask(), Thinking()
    async with asyncio.TaskGroup() as group:
        working = group.create_task(stage.work(turn, ScriptedAgent(progress=(SEARCHING,), meanwhile=model)))
        await model.begun.wait()

        assert await stop(stage, turn) is Stopping.STOPPED
        await stage.work(turn)
        async with asyncio.timeout(20):
            await working

    assert model.cancelled
    assert await stage.texts(turn) == STOPPED
    assert await state(stage, turn) == "stopped"


async def test_a_worker_that_is_slow_to_hear_of_the_stop_shows_nothing_over_it(stage: Stage) -> None:
    turn, begun, shown = await stage.ask(), asyncio.Event(), asyncio.Event()

    async def meanwhile() -> None:
        begun.set()
        await shown.wait()

    async with asyncio.TaskGroup() as group:
        working = group.create_task(stage.work(turn, ScriptedAgent(meanwhile=meanwhile)))
        await begun.wait()
        assert await stop(stage, turn) is Stopping.STOPPED
        await stage.work(turn)
        shown.set()
        await working

    assert await stage.texts(turn) == STOPPED


async def test_the_stop_that_comes_before_the_answer_is_saved_wins(stage: Stage) -> None:
    turn = await stage.ask()

    async def meanwhile() -> None:
        assert await stop(stage, turn) is Stopping.STOPPED

    await stage.work(turn, ScriptedAgent(meanwhile=meanwhile))
    await stage.work(turn)

    assert await stage.texts(turn) == STOPPED
    assert await state(stage, turn) == "stopped"


async def test_the_answer_that_is_saved_before_the_stop_wins(stage: Stage) -> None:
    turn = await stage.ask()
    _, token = await stage.take(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await turns.save_answer(session, turn, token, ANSWER)

    assert await stop(stage, turn) is Stopping.OVER
    await stage.work(turn)

    assert await stage.texts(turn) == [ANSWER.text]
    assert await stop_events(stage) == 0


async def test_a_second_stop_changes_nothing(stage: Stage) -> None:
    turn = await stage.ask()

    assert [await stop(stage, turn), await stop(stage, turn)] == [Stopping.STOPPED, Stopping.OVER]
    assert await stop_events(stage) == 1


async def test_only_the_asker_and_admins_may_stop(stage: Stage) -> None:
    turn = await stage.ask()
    await rows(stage, "INSERT INTO slack_users (tenant_id, user_id, name, is_admin) SELECT athenaeum_tenant(), "
               "id, id, id = 'UADMIN' FROM unnest(ARRAY['UADMIN', 'UOTHER']) AS id")  # fmt: skip

    assert await stop(stage, turn, user="UOTHER") is Stopping.NOT_YOURS
    assert await stop(stage, turn, user="UNOBODY") is Stopping.NOT_YOURS
    assert await stop(stage, turn, user="UADMIN") is Stopping.STOPPED


async def test_the_thread_is_stopped_as_far_as_its_questions_are_ones_own(stage: Stage) -> None:
    first = await stage.ask()
    second = await stage.ask(after=first)
    found = await stage.look(first)

    async with stage.database.session(DEFAULT_TENANT) as session:
        wanted = [
            await turns.stop_thread(session, found.channel, found.thread_ts, user=user)
            for user in (UserId("UOTHER"), found.asker, found.asker)
        ]

    assert wanted == [Stopping.NOT_YOURS, Stopping.STOPPED, Stopping.OVER]
    assert [(await stage.look(turn)).stopped_by for turn in (first, second)] == [found.asker] * 2


async def test_what_waits_for_a_word_is_stopped_and_can_no_more_be_approved(stage: Stage) -> None:
    turn = await stage.ask()
    proposal = Proposal(ApprovalId(uuid4()), (ProposedCall("call-1", "post_note", "Post a note", {}),))
    await stage.work(turn, ScriptedAgent(proposal))

    assert await stop(stage, turn) is Stopping.STOPPED
    await stage.work(turn)

    found = await stage.look(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        ruling, _ = await turns.decide(session, proposal.id, user=found.asker, channel=found.channel, approved=True)
    assert ruling is Ruling.OVER
    assert await stage.texts(turn) == STOPPED


async def test_who_stops_after_a_change_was_begun_is_told_to_look(stage: Stage) -> None:
    turn = await stage.ask()
    await rows(stage, "INSERT INTO steps (tenant_id, turn_id, name, seq, once, fence)"
               f" VALUES (athenaeum_tenant(), '{turn}', 'post_note', 0, true, 0)")  # fmt: skip

    await stop(stage, turn)
    await stage.work(turn)

    assert await stage.texts(turn) == ["Stopped. Something that you approved may have been done already."]


async def test_a_question_that_is_deleted_while_the_model_works_takes_its_placeholder_along(stage: Stage) -> None:
    turn, model = await stage.ask(), Thinking()
    found = await stage.look(turn)
    said = archive.read_message({"ts": found.message_ts, "user": found.asker, "text": "hi"}, found.channel)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await archive.record(session, said)
    async with asyncio.TaskGroup() as group:
        working = group.create_task(stage.work(turn, ScriptedAgent(meanwhile=model)))
        await model.begun.wait()
        await stage.until(lambda: len(stage.shown(found)) == 1)

        async with stage.database.session(DEFAULT_TENANT) as session:
            await archive.erase(session, found.channel, found.message_ts)
        async with asyncio.timeout(20):
            await working

    assert model.cancelled
    assert await stage.texts(turn) == []
    assert await state(stage, turn) == "cancelled"


@pytest.mark.parametrize("heirs", [1, 2])
async def test_a_worker_that_dies_at_any_step_forgets_no_stop(stage: Stage, heirs: int) -> None:
    """The stop comes while the model works; then the worker dies, and one or both of its events come again."""
    steps, died = 0, True
    while died:
        turn = await stage.ask()

        async def meanwhile(turn: TurnId = turn) -> None:
            await stop(stage, turn)

        life = Life(steps)
        try:
            await live(stage, stage.event(turn), ScriptedAgent(meanwhile=meanwhile), life)
        except (Death, BaseExceptionGroup):
            assert life.ended
        died = life.ended
        stopped = (await stage.look(turn)).stopped_by is not None
        for attempt in range(heirs):
            with suppress(LeaseLost):
                await live(stage, stage.event(turn, attempt=attempt + 2), ScriptedAgent(), Life())
        assert await stage.texts(turn) == (STOPPED if stopped else [ANSWER.text]), f"after a death at step {steps}"
        steps += 3
