"""An answer of more than five messages ends in a file: once, and gone with the answer."""

from __future__ import annotations

import pytest

from athenaeum.domain.identity import PassageId
from athenaeum.domain.turn import Answer, Citation
from slacksim.faults import Mode
from support.mortality import Death, Life, live
from support.stage import ScriptedAgent, Stage

SOURCE = Citation(1, PassageId(1), "Handbook", "https://docs.example/handbook", "word word")
LONGEST = Answer(
    "\n\n".join([*(f"Paragraph {n}. " + "word " * 2200 for n in range(7)), "The end [1]. <!channel>"]),
    citations=(SOURCE,),
)
BEYOND = 10_000
"""Steps that no worker takes."""


async def test_the_whole_answer_stands_in_a_file_below_its_messages(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn, ScriptedAgent(LONGEST))
    *messages, last = stage.shown(await stage.look(turn))
    (file,) = last.files
    assert len(messages) == 5
    assert "this is as much as fits here" in messages[-1].blocks[0]["text"]
    assert file.title == "The whole answer"
    whole = (file.content or b"").decode()
    assert [f"Paragraph {n}." in whole for n in range(7)] == [True] * 7
    assert "[1] Handbook https://docs.example/handbook" in whole
    assert "<!channel>" not in whole


async def test_an_answer_that_fits_has_no_file(stage: Stage) -> None:
    await stage.work(await stage.ask(), ScriptedAgent(Answer("Short.")))
    assert not stage.calls("files.getUploadURLExternal")


@pytest.mark.parametrize(("mode", "calls"), [("drop_before", 2), ("drop_after", 1), ("error_after", 1), ("500", 2)])
async def test_a_file_whose_sharing_is_in_doubt_is_shared_once(stage: Stage, mode: Mode, calls: int) -> None:
    turn = await stage.ask()
    stage.fault("files.completeUploadExternal", mode)
    await stage.work(turn, ScriptedAgent(LONGEST))
    shown = stage.shown(await stage.look(turn))
    assert [len(message.files) for message in shown] == [0, 0, 0, 0, 0, 1]
    assert len(stage.calls("files.completeUploadExternal")) == calls


@pytest.mark.slow
async def test_a_worker_that_dies_while_it_brings_the_file_leaves_one(stage: Stage) -> None:
    life = Life(BEYOND)
    await live(stage, stage.event(await stage.ask()), ScriptedAgent(LONGEST), life)
    assert life.left is not None
    steps = BEYOND - life.left
    for before_the_end in range(3, 26, 3):
        turn = await stage.ask()
        with pytest.raises((Death, BaseExceptionGroup)):
            await live(stage, stage.event(turn), ScriptedAgent(LONGEST), Life(steps - before_the_end))
        await live(stage, stage.event(turn, attempt=2), ScriptedAgent(LONGEST), Life())
        shown = stage.shown(await stage.look(turn))
        assert [len(message.files) for message in shown] == [0, 0, 0, 0, 0, 1], f"{before_the_end} before the end"


async def test_without_the_scope_the_messages_say_that_it_goes_on(stage: Stage) -> None:
    stage.sim.world.app.scopes.remove("files:write")
    turn = await stage.ask()
    await stage.work(turn, ScriptedAgent(LONGEST))
    assert [len(message.files) for message in stage.shown(await stage.look(turn))] == [0] * 5
    assert (await stage.look(turn)).finished_at is not None


async def test_a_file_is_taken_away_with_its_answer(stage: Stage) -> None:
    turn = await stage.ask()
    await stage.work(turn, ScriptedAgent(LONGEST))
    await stage.delivery.take_away(await stage.look(turn))
    assert not stage.shown(await stage.look(turn))
    assert all(file.content is None for file in stage.sim.world.state.files.values())
