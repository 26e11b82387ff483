from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from athenaeum.conversations import turns
from athenaeum.domain.identity import DEFAULT_TENANT, TurnId
from athenaeum.domain.turn import Answer, StepStarted, TextGrew
from athenaeum.worker.delivery.content import PLACEHOLDER
from athenaeum.worker.delivery.posting import Posting
from athenaeum.worker.greeter import Greeter
from slacksim.people import Person
from support.stage import ANSWER, ScriptedAgent, Stage, said, streaming

SEARCH = StepStarted("Searching documents…")
GROWN = (TextGrew("Retry it with "), TextGrew("Retry it with the command below, as the runbook says"))


@pytest.fixture
async def native(stage: Stage) -> Stage:
    """A stage whose workspace shows answers by streams."""
    await streaming(stage)
    return stage


def shape(stage: Stage) -> list[str]:
    """The calls that write in threads, in their order."""
    kinds = ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update", "chat.postMessage")
    return [call["method"] for call in stage.calls("") if call["method"] in kinds]


def streamed(stage: Stage) -> str:
    """The text of all messages that are, or were, streamed."""
    world = stage.sim.world
    return "".join(world.channels[channel].messages[ts].text for channel, ts in world.state.streams)


async def blocks(stage: Stage, turn: TurnId) -> list[tuple[str, str]]:
    (message,) = stage.shown(await stage.look(turn))
    return [(block["type"], block.get("status") or block.get("text") or "") for block in message.blocks]


async def test_the_answer_grows_as_a_stream_and_ends_as_an_update_of_the_same_message(native: Stage) -> None:
    turn = await native.ask()
    seen: list[list[tuple[str, str]]] = []

    async def meanwhile() -> None:
        await native.until(lambda: "Retry it with" in streamed(native))
        seen.append(await blocks(native, turn))

    await native.work(turn, ScriptedAgent(progress=(SEARCH, GROWN[0], GROWN[1]), meanwhile=meanwhile))
    assert seen[0][0] == ("task_card", "complete")
    assert seen[0][-1] == ("markdown", "Retry it with the command below, as the runbook")
    assert await native.texts(turn) == [ANSWER.text]
    calls = shape(native)
    assert (calls[0], calls[-2:]) == ("chat.startStream", ["chat.stopStream", "chat.update"])
    assert "chat.postMessage" not in calls


async def test_what_is_streamed_is_rendered_as_the_answer_will_be_and_has_no_labels(native: Stage) -> None:
    grown = "Ask <!channel> or [them](https://evil.example/?d=secret) [S1, F2].\n\nThen go "

    async def meanwhile() -> None:
        await native.until(lambda: "Then" in streamed(native))

    await native.work(await native.ask(), ScriptedAgent(progress=(TextGrew(grown),), meanwhile=meanwhile))
    (appended,) = native.calls("chat.appendStream")
    shown = str(appended["arguments"]["chunks"][-1]["text"])
    assert shown.endswith("Then go")
    assert [piece for piece in ("S1", "F2", "<!channel>", "](https://evil") if piece in shown] == []


async def test_a_workspace_that_did_not_ask_for_streams_has_none(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn, ScriptedAgent(progress=(SEARCH, *GROWN)))
    assert await stage.texts(turn) == [ANSWER.text]
    assert not {call for call in shape(stage) if "Stream" in call}


@pytest.mark.parametrize("error", ["missing_recipient_team_id", "unknown_method", "missing_scope", "invalid_chunks"])
async def test_where_slack_does_not_stream_the_placeholder_does(native: Stage, error: str) -> None:
    native.fault("chat.startStream", "error", error=error)
    turn = await native.ask()
    await native.work(turn, ScriptedAgent(progress=(SEARCH,)))
    assert await native.texts(turn) == [ANSWER.text]
    assert shape(native)[:2] == ["chat.startStream", "chat.postMessage"]


async def test_a_stream_that_would_have_to_wait_is_none(native: Stage) -> None:
    native.fault("chat.startStream", "429", retry_after=600)
    for _ in range(2):
        turn = await native.ask()
        await native.work(turn)
        assert await native.texts(turn) == [ANSWER.text]
    assert shape(native).count("chat.startStream") == 1


@pytest.mark.parametrize("fault", ["time", "age", "lost"])
async def test_a_stream_that_ends_too_early_goes_on_by_updates(native: Stage, fault: str) -> None:
    turn = await native.ask()
    if fault == "time":
        native.timing = replace(native.timing, stream=timedelta(milliseconds=30))
    elif fault == "age":
        native.sim.world.stream_seconds = 0.0
    else:
        native.fault("chat.appendStream", "drop_after")

    async def meanwhile() -> None:
        await native.until(lambda: bool(native.calls("chat.update")))

    await native.work(turn, ScriptedAgent(progress=(SEARCH,), meanwhile=meanwhile))
    assert await native.texts(turn) == [ANSWER.text]
    assert native.calls("chat.update")[0]["arguments"]["text"] == SEARCH.label


async def test_a_text_that_is_more_than_one_message_is_streamed_no_longer(native: Stage) -> None:
    turn = await native.ask()
    answer = Answer("\n\n".join(f"Paragraph {n}. " + "word " * 1400 for n in range(3)))

    async def meanwhile() -> None:
        await native.until(lambda: bool(native.calls("chat.update")))

    await native.work(turn, ScriptedAgent(answer, progress=(TextGrew(answer.text),), meanwhile=meanwhile))
    assert [text[:11] for text in await native.texts(turn)] == [f"Paragraph {n}" for n in range(3)]


async def test_the_stop_button_of_slack_ends_the_stream_and_the_answer_of_its_asker(native: Stage) -> None:
    turn = await native.ask()
    asked = await native.look(turn)

    async def meanwhile() -> None:
        await native.until(lambda: bool(native.sim.world.state.streams))
        Person.named(native.sim.world, "maya").stop(asked.channel, asked.thread_ts)
        async with native.database.session(DEFAULT_TENANT) as session:
            await turns.stop_thread(session, asked.channel, asked.thread_ts, user=asked.asker)

    await native.work(turn, ScriptedAgent(meanwhile=meanwhile))
    await Greeter(native.database, native.delivery, unseen=timedelta(0)).run_once()
    assert await native.texts(turn) == ["Stopped."]


async def test_a_question_that_is_withdrawn_takes_its_stream_along(native: Stage) -> None:
    turn, token = await native.take(await native.ask())
    await Posting(native.thread(turn, token)).ensure(0, PLACEHOLDER.streamed(native.sim.world.team.id))
    async with native.database.session(DEFAULT_TENANT) as session:
        await turns.withdraw(session, turn.channel, turn.message_ts)
    await native.delivery.retract(turn, token)
    assert native.shown(turn) == []


async def test_while_a_question_waits_slack_shows_that_it_is_seen(native: Stage) -> None:
    turn = await native.ask()
    asked = await native.look(turn)
    await Greeter(native.database, native.delivery, unseen=timedelta(0)).run_once()
    assert native.sim.world.state.statuses[asked.channel, asked.thread_ts]
    assert native.shown(asked) == []
    await native.work(turn)
    assert not native.sim.world.state.statuses


async def test_without_a_status_the_placeholder_stands_and_becomes_the_answer(native: Stage) -> None:
    for method in ("agents.sessions.setStatus", "assistant.threads.setStatus"):
        native.fault(method, "error", error="unknown_method")
    turn = await native.ask()
    asked = await native.look(turn)
    await Greeter(native.database, native.delivery, unseen=timedelta(0)).run_once()
    assert [said(message) for message in native.shown(asked)] == ["Thinking…"]
    await native.work(turn, ScriptedAgent(progress=(SEARCH,)))
    assert await native.texts(turn) == [ANSWER.text]
