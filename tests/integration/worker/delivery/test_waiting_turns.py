from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from athenaeum.conversations import turns
from athenaeum.domain.identity import DEFAULT_TENANT, EventId, LeaseToken, MessageTs, TurnId
from athenaeum.errors import APOLOGY, LeaseLost
from athenaeum.events import EventProcessor
from athenaeum.worker.delivery.content import Content
from athenaeum.worker.delivery.correction import overwrite
from athenaeum.worker.greeter import Greeter
from athenaeum.worker.janitor import Janitor
from support.stage import ANSWER, ScriptedAgent, Stage

AT_ONCE = timedelta(0)


@pytest.fixture
def greeter(stage: Stage) -> Greeter:
    return Greeter(stage.database, stage.delivery, unseen=AT_ONCE)


@pytest.fixture
def janitor(stage: Stage) -> Janitor:
    return Janitor(stage.database, stage.handler(ScriptedAgent()), patience=AT_ONCE)


async def drop_event(stage: Stage, turn: TurnId) -> None:
    """The queue has given the event up, or an operator dropped it."""
    found = await stage.look(turn)
    async with stage.database.session() as session:
        await session.execute(text("DELETE FROM queued_events WHERE event_id = :id"), {"id": found.event})


async def test_a_question_that_waits_for_a_worker_gets_its_placeholder(stage: Stage, greeter: Greeter) -> None:
    turn = await stage.ask()
    assert await greeter.run_once() == 1
    assert await stage.texts(turn) == ["Thinking…"]


async def test_a_question_is_not_greeted_before_its_time(stage: Stage) -> None:
    await stage.ask()
    assert await Greeter(stage.database, stage.delivery, unseen=timedelta(minutes=1)).run_once() == 0


async def test_the_worker_goes_on_with_the_greeters_placeholder(stage: Stage, greeter: Greeter) -> None:
    turn = await stage.ask()
    await greeter.run_once()
    await stage.work(turn)
    assert await stage.texts(turn) == [ANSWER.text]
    assert len(stage.calls("chat.postMessage")) == 1


async def test_each_question_is_greeted_once(stage: Stage, greeter: Greeter) -> None:
    await stage.ask()
    assert [await greeter.run_once(), await greeter.run_once()] == [1, 0]


async def test_questions_of_one_thread_are_greeted_in_their_order(stage: Stage, greeter: Greeter) -> None:
    first = await stage.ask()
    second = await stage.ask(after=first)
    stage.fault("chat.postMessage", "slow", seconds=0.2)

    await greeter.run_once()
    assert await greeted(stage, first) == [str(first)]
    await greeter.run_once()
    assert await greeted(stage, first) == [str(first), str(second)]


async def greeted(stage: Stage, turn: TurnId) -> list[str]:
    """Whose placeholders stand in the thread, from top to bottom."""
    marks = [message.metadata for message in stage.shown(await stage.look(turn))]
    return [mark["event_payload"]["turn"] for mark in marks if mark]


async def test_a_database_that_fails_while_greeting_leaves_the_greeter_at_work(
    stage: Stage, greeter: Greeter, database_url: str
) -> None:
    await stage.ask()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as owner:
        await owner.execute("ALTER TABLE deliveries RENAME TO away")
    assert await greeter.run_once() == 1


async def test_a_question_that_was_taken_is_not_greeted(stage: Stage, greeter: Greeter) -> None:
    turn = await stage.ask()
    await stage.take(turn)
    await greeter.run_once()
    assert await stage.texts(turn) == []


async def test_a_question_that_is_withdrawn_while_it_is_greeted_keeps_no_placeholder(
    stage: Stage, greeter: Greeter
) -> None:
    stage.fault("chat.postMessage", "slow", seconds=0.3)
    asked = await stage.ask()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(greeter.run_once())
        await stage.until(lambda: bool(stage.calls("chat.postMessage")))
        turn, token = await stage.take(asked)
        await stage.delivery.retract(turn, token)
    assert await stage.texts(asked) == []


async def test_a_claimed_event_is_not_greeted(stage: Stage, greeter: Greeter) -> None:
    await stage.ask()
    async with stage.database.session() as session:
        assert await EventProcessor(session, "worker").claim_event() is not None
    assert await greeter.run_once() == 0


async def test_a_greeting_that_slack_refuses_does_not_stop_the_others(stage: Stage, greeter: Greeter) -> None:
    for _ in range(3):
        await stage.ask()
    stage.fault("chat.postMessage", "error", error="thread_not_found")
    assert await greeter.run_once() == 3
    assert len(stage.calls("chat.postMessage")) == 3


async def test_a_turn_whose_event_is_gone_is_closed_with_an_apology(stage: Stage, janitor: Janitor) -> None:
    turn = await stage.ask()
    held, token = await stage.take(turn)
    await stage.delivery.placeholder(held, token)
    await drop_event(stage, turn)

    assert await janitor.run_once() == 1
    assert await stage.texts(turn) == [APOLOGY]
    assert (await stage.look(turn)).finished_at is not None


async def test_who_wakes_up_in_a_turn_that_was_closed_leaves_the_apology_standing(
    stage: Stage, janitor: Janitor
) -> None:
    turn = await stage.ask()
    held, token = await stage.take(turn)
    await stage.delivery.placeholder(held, token)
    await drop_event(stage, turn)
    await janitor.run_once()

    [message] = stage.shown(held)
    with pytest.raises(LeaseLost):
        await overwrite(stage.thread(held, token), MessageTs(message.ts), Content("Searching…"))
    assert await stage.texts(turn) == [APOLOGY]


async def test_a_saved_answer_is_delivered_rather_than_an_apology(stage: Stage, janitor: Janitor) -> None:
    turn = await stage.ask()
    _, token = await stage.take(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await turns.save_answer(session, turn, token, ANSWER)
    await drop_event(stage, turn)

    await janitor.run_once()
    assert await stage.texts(turn) == [ANSWER.text]
    assert (await stage.look(turn)).error is None


async def test_a_turn_whose_event_lives_is_left_alone(stage: Stage, janitor: Janitor) -> None:
    await stage.ask()
    assert await janitor.run_once() == 0


async def test_a_young_turn_is_left_alone(stage: Stage) -> None:
    turn = await stage.ask()
    await drop_event(stage, turn)
    patient = Janitor(stage.database, stage.handler(ScriptedAgent()), patience=timedelta(minutes=10))
    assert await patient.run_once() == 0


async def test_an_apology_that_slack_could_not_take_is_told_when_it_is_back(stage: Stage, janitor: Janitor) -> None:
    turn = await stage.ask()
    stage.sim.world.app.is_revoked = True
    await drop_event(stage, turn)
    await janitor.run_once()
    assert (await stage.look(turn)).finished_at is None

    stage.sim.world.app.is_revoked = False
    await janitor.run_once()
    assert await stage.texts(turn) == [APOLOGY]


async def test_a_revoked_token_ends_the_round_for_its_tenant(stage: Stage, janitor: Janitor) -> None:
    for _ in range(3):
        await drop_event(stage, await stage.ask())
    stage.sim.world.app.is_revoked = True
    await janitor.run_once()
    assert len(stage.calls("")) == 1


async def test_a_newer_holder_keeps_the_turn_from_the_janitor(stage: Stage, janitor: Janitor) -> None:
    turn = await stage.ask()
    await drop_event(stage, turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        (left,) = await turns.stranded(session, older_than=AT_ONCE)
    await stage.take(turn)
    handler = stage.handler(ScriptedAgent())
    with pytest.raises(Exception, match="no longer held"):
        await handler.close(left, LeaseToken(0), RuntimeError("left"))
    assert await stage.texts(turn) == []


async def test_the_event_of_a_turn_is_written_on_it(stage: Stage) -> None:
    turn = await stage.ask()
    async with stage.database.session() as session:
        event = await EventProcessor(session, "worker").claim_event()
    assert event is not None
    assert (await stage.look(turn)).event == EventId(event.id)
    assert event.payload == {"turn": str(turn)}
