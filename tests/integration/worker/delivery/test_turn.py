from __future__ import annotations

import asyncio

import pytest

from athenaeum.conversations import archive, turns
from athenaeum.domain.channel import Surface
from athenaeum.domain.identity import DEFAULT_TENANT, PassageId
from athenaeum.domain.turn import Answer, Citation, StepStarted, TextGrew
from athenaeum.errors import APOLOGY, Discard, LeaseLost, RetryLater
from athenaeum.slack.errors import TokenRefused, Unreachable
from support.bouncer import BOTH_DOORS
from support.stage import ANSWER, ScriptedAgent, Stage, said

pytestmark = BOTH_DOORS


async def _forever() -> None:
    await asyncio.Event().wait()


async def test_the_placeholder_becomes_the_answer(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn)

    assert await stage.texts(turn) == [ANSWER.text]
    assert [call["arguments"]["text"] for call in stage.calls("chat.postMessage")] == ["Thinking…"]
    assert (await stage.look(turn)).finished_at is not None


async def test_sources_stand_below_the_answer(stage: Stage) -> None:
    turn = await stage.ask()
    source = Citation(1, PassageId(7), "Retrying", "https://docs.example.com/retry#how", "athenaeum events retry")
    await stage.work(turn, ScriptedAgent(Answer("Like this [1].", (source,))))

    (message,) = stage.shown(await stage.look(turn))
    (element,) = message.blocks[1]["elements"]
    assert element["text"] == "[1] <https://docs.example.com/retry#how|Retrying> — “athenaeum events retry”"
    assert stage.calls("chat.postMessage")[0]["arguments"]["unfurl_links"] is False


async def test_progress_shows_in_the_placeholder_before_the_answer(stage: Stage) -> None:
    turn = await stage.ask()

    async def until_shown() -> None:
        await stage.until(lambda: any("Half" in call["arguments"]["text"] for call in stage.calls("chat.update")))

    progress = (StepStarted("Searching documents…"), TextGrew("Half an answer [S12]"))
    await stage.work(turn, ScriptedAgent(progress=progress, meanwhile=until_shown))

    updates = [call["arguments"]["text"] for call in stage.calls("chat.update")]
    assert updates == ["Half an answer", "Retry it with athenaeum events retry."]


async def test_a_failing_progress_update_does_not_fail_the_turn(stage: Stage) -> None:
    turn = await stage.ask()
    stage.fault("chat.update", "500")

    async def until_tried() -> None:
        await stage.until(lambda: bool(stage.calls("chat.update")))

    await stage.work(turn, ScriptedAgent(progress=(StepStarted("Searching…"),), meanwhile=until_tried))
    assert await stage.texts(turn) == [ANSWER.text]


async def test_a_saved_answer_is_shown_without_asking_the_agent_again(stage: Stage) -> None:
    turn = await stage.ask()
    _, token = await stage.take(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await turns.save_answer(session, turn, token, Answer("The first answer."))

    agent = ScriptedAgent()
    await stage.work(turn, agent)
    assert agent.questions == []
    assert await stage.texts(turn) == ["The first answer."]


async def test_a_finished_turn_is_left_as_it_is(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn)
    calls = len(stage.calls(""))

    await stage.work(turn, ScriptedAgent(Answer("Another answer.")))
    assert len(stage.calls("")) == calls


async def test_a_newer_claim_stops_the_older_one(stage: Stage) -> None:
    turn = await stage.ask()
    old, new = stage.event(turn), stage.event(turn)
    overtaken = asyncio.Event()

    async def work_too_long() -> None:
        with pytest.raises(LeaseLost):
            await stage.handler(ScriptedAgent(Answer("The older answer."), meanwhile=asleep)).handle(old)

    async def asleep() -> None:
        await overtaken.wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(work_too_long())
        await stage.until(lambda: bool(stage.calls("chat.postMessage")))
        await stage.handler(ScriptedAgent(Answer("The newer answer."))).handle(new)
        overtaken.set()
    assert await stage.texts(turn) == ["The newer answer."]


async def test_an_older_claim_that_comes_late_takes_nothing(stage: Stage) -> None:
    turn = await stage.ask()
    old, new = stage.event(turn), stage.event(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, new.token)

    with pytest.raises(LeaseLost):
        await stage.handler(ScriptedAgent()).handle(old)


async def test_giving_up_apologises_in_the_placeholder(stage: Stage) -> None:
    turn = await stage.ask()
    event = stage.event(turn, attempt=4)
    error = RetryLater("the model is away", user_text="My language model is away. Please ask again later.")
    handler = stage.handler(ScriptedAgent(error))
    with pytest.raises(RetryLater):
        await handler.handle(event)
    await handler.give_up(event, error)

    assert await stage.texts(turn) == ["My language model is away. Please ask again later."]
    assert (await stage.look(turn)).error == "RetryLater: the model is away"


async def test_giving_up_shows_the_saved_answer_rather_than_an_apology(stage: Stage) -> None:
    turn = await stage.ask()
    event = stage.event(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, event.token)
        await turns.save_answer(session, turn, event.token, ANSWER)

    await stage.handler(ScriptedAgent()).give_up(event, RuntimeError("a bug"))
    assert await stage.texts(turn) == [ANSWER.text]


async def test_an_event_that_is_retried_by_hand_replaces_its_apology(stage: Stage) -> None:
    turn = await stage.ask()
    event = stage.event(turn)
    handler = stage.handler(ScriptedAgent(RuntimeError("a bug")))
    with pytest.raises(RuntimeError):
        await handler.handle(event)
    await handler.give_up(event, RuntimeError("a bug"))
    assert await stage.texts(turn) == [APOLOGY]

    await stage.work(turn)
    assert await stage.texts(turn) == [ANSWER.text]


async def test_an_apology_whose_teller_died_does_not_end_the_turn_as_answered(stage: Stage) -> None:
    turn = await stage.ask()
    event = stage.event(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await turns.take(session, turn, event.token)
        await turns.save_answer(session, turn, event.token, Answer(APOLOGY), apology=True)

    await stage.work(turn, attempt=2)
    assert await stage.texts(turn) == [ANSWER.text]


async def test_a_question_deleted_while_it_waits_gets_no_answer(stage: Stage) -> None:
    turn = await stage.ask()
    held, token = await stage.take(turn)
    await stage.delivery.placeholder(held, token)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await archive.erase(session, held.channel, held.message_ts)

    agent = ScriptedAgent()
    await stage.work(turn, agent)
    assert await stage.texts(turn) == []
    assert agent.questions == []


async def test_an_agent_that_discards_takes_the_placeholder_away(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn, ScriptedAgent(Discard("nobody asks any more")))
    assert await stage.texts(turn) == []
    assert (await stage.look(turn)).finished_at is not None


async def test_a_channel_that_was_left_stops_the_agent_and_shows_nothing(stage: Stage) -> None:
    turn = await stage.ask()
    channel = stage.sim.world.channels[stage.channel()]
    stage.sim.world.leave(channel, stage.sim.world.app.user_id)
    event = stage.event(turn)

    handler = stage.handler(ScriptedAgent(meanwhile=_forever))
    with pytest.raises(Unreachable) as failed:
        await handler.handle(event)
    await handler.give_up(event, failed.value)

    found = await stage.look(turn)
    assert found.finished_at is not None
    assert "not_in_channel" in (found.error or "")


async def test_a_revoked_token_is_owed_an_answer_and_makes_no_storm(stage: Stage) -> None:
    turn = await stage.ask()
    stage.sim.world.app.is_revoked = True
    event = stage.event(turn)
    handler = stage.handler(ScriptedAgent(meanwhile=_forever))
    with pytest.raises(TokenRefused, match="SLACK_BOT_TOKEN") as failed:
        await handler.handle(event)
    await handler.give_up(event, failed.value)

    assert len(stage.calls("")) == 1
    found = await stage.look(turn)
    assert found.finished_at is None
    assert found.error is not None


async def test_a_question_from_the_terminal_is_answered_without_slack(stage: Stage) -> None:
    turn = await stage.ask(surface=Surface.TERMINAL)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(turns.wait_for(stage.database, DEFAULT_TENANT, turn))
        await stage.work(turn)
    assert waiting.result() == ANSWER
    assert stage.calls("") == []


async def test_a_long_answer_comes_in_parts_in_their_order(stage: Stage) -> None:
    turn = await stage.ask()
    paragraphs = [f"Paragraph {n}. " + "word " * 1500 for n in range(5)]
    await stage.work(turn, ScriptedAgent(Answer("\n\n".join(paragraphs))))

    shown = [said(message) for message in stage.shown(await stage.look(turn))]
    assert len(shown) == 5
    assert [text.split(".")[0] for text in shown] == [f"Paragraph {n}" for n in range(5)]
