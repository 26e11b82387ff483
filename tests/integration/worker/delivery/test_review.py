"""What was saved is looked at again when it is shown: that may be long after it was found."""

from __future__ import annotations

from dataclasses import replace

from athenaeum.conversations import turns
from athenaeum.domain.identity import DEFAULT_TENANT, PassageId
from athenaeum.domain.turn import Answer, Citation, Question
from support.stage import ScriptedAgent, Stage

CITED = Answer("The secret is 7 [1].", citations=(Citation(1, PassageId(1), "Vault", None, "The secret is 7."),))
GONE = "It can no longer be read."


class StrictAgent(ScriptedAgent):
    """Lets nothing through."""

    async def review(self, question: Question, answer: Answer) -> Answer:
        assert question.text
        return replace(answer, text=GONE, citations=())


async def test_an_answer_that_was_saved_is_shown_as_far_as_it_may_be_read_now(stage: Stage) -> None:
    turn = await stage.ask()
    _, token = await stage.take(turn)
    async with stage.database.session(DEFAULT_TENANT) as session:
        await turns.save_answer(session, turn, token, CITED)

    await stage.work(turn, StrictAgent(CITED))

    assert await stage.texts(turn) == [GONE]
    assert not [call for call in stage.calls("chat.update") if "secret" in str(call)]
