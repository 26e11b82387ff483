"""What the agent proposes, and what a decision means to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic_ai import RunContext
from pydantic_ai.exceptions import ModelRetry
from pydantic_ai.models import Model

from athenaeum.agent.consent import MAX_ARGUMENTS, MAX_CALLS
from athenaeum.conversations import turns
from athenaeum.domain.approval import Proposal
from athenaeum.domain.channel import Surface
from athenaeum.llm.models import ModelKeys, build_model
from athenaeum.tools.grant import Grant
from support.anthropic_server import KEY, AnthropicServer, Call, Request, Says
from support.desk import FENCE, QUESTION, Desk
from support.note_worker import DONE
from support.notes import NOTE, TOOL, Board, search_post_answer

SECOND = {"board": "hall", "text": "Bring cake."}
DENIED = "has seen this call and denied it"


@pytest.fixture
def board(desk: Desk) -> Board:
    board = Board()
    desk.toolset = board.toolset()
    return board


def claude(server: AnthropicServer) -> Model[Any]:
    return build_model("anthropic:claude-test", ModelKeys(anthropic_api_key=KEY, anthropic_base_url=server.url))


def results(request: Request) -> list[str]:
    """What the model is told of its latest calls."""
    told = [block["content"] for block in request.body["messages"][-1]["content"] if block["type"] == "tool_result"]
    return [content if isinstance(content, str) else content[0]["text"] for content in told]


def posts(*notes: dict[str, Any]) -> Says:
    return Says("I will post.", tuple(Call(TOOL, note) for note in notes))


async def proposed(desk: Desk, server: AnthropicServer) -> Proposal:
    proposal = await desk.attempt(claude(server))
    assert isinstance(proposal, Proposal)
    return proposal


async def test_the_same_calls_are_the_same_proposal_in_every_attempt(
    desk: Desk, anthropic: AnthropicServer, board: Board
) -> None:
    anthropic.reply = search_post_answer

    first, second = await proposed(desk, anthropic), await proposed(desk, anthropic)

    assert first == second
    assert [(call.tool, call.asks, call.arguments) for call in first.calls] == [(TOOL, "Post a note", NOTE)]
    assert len(anthropic.requests) == 2
    assert board.notes == []


async def test_several_changes_are_decided_together_and_made_in_their_order(
    desk: Desk, anthropic: AnthropicServer, board: Board
) -> None:
    search = Call("search_documents", {"query": "retry failed event"})
    anthropic.script += [replace(posts(NOTE, SECOND), calls=(*posts(NOTE, SECOND).calls, search)), Says("Done.")]

    proposal = await desk.decide(claude(anthropic))
    answer = await desk.answer(claude(anthropic))

    assert [call.arguments for call in proposal.calls] == [NOTE, SECOND]
    assert board.notes == [tuple(NOTE.values()), tuple(SECOND.values())]
    assert len(desk.index.searches) == 1
    assert answer.text == "Done."


async def test_another_call_is_not_covered_by_what_was_approved(
    desk: Desk, anthropic: AnthropicServer, board: Board
) -> None:
    anthropic.script += [posts(NOTE), posts(SECOND), Says("Done.")]
    first = await desk.decide(claude(anthropic))

    second = await desk.decide(claude(anthropic), approved=False)
    answer = await desk.answer(claude(anthropic))

    assert first.id != second.id
    assert board.notes == [tuple(NOTE.values())]
    assert DENIED in results(anthropic.requests[2])[0]
    assert answer.text == "Done."


async def test_an_approval_of_a_conversation_that_is_gone_is_not_used(
    desk: Desk, anthropic: AnthropicServer, board: Board
) -> None:
    anthropic.script += [posts(NOTE), posts(SECOND)]
    await desk.decide(claude(anthropic))
    await desk.execute("UPDATE steps SET inputs = ''")

    proposal = await proposed(desk, anthropic)

    assert [call.arguments for call in proposal.calls] == [SECOND]
    assert board.notes == []


async def test_an_argument_that_the_model_leaves_out_is_shown_with_its_default(
    desk: Desk, anthropic: AnthropicServer
) -> None:
    async def invite(_ctx: RunContext[Grant], person: str, everybody: bool = True) -> str:
        """Invite somebody.

        Args:
            person: Whom.
            everybody: Whether everybody comes along.
        """
        return f"{person} {everybody}"

    desk.toolset.add_function(invite, requires_approval=True)
    anthropic.script.append(Says("", (Call("invite", {"person": "Ben"}),)))

    (call,) = (await proposed(desk, anthropic)).calls

    assert call.arguments == {"person": "Ben", "everybody": True}
    assert call.asks == "invite"


async def test_on_the_terminal_nobody_is_asked_and_the_model_says_so(
    desk: Desk, anthropic: AnthropicServer, board: Board
) -> None:
    desk.question = replace(QUESTION, surface=Surface.TERMINAL)
    anthropic.reply = search_post_answer

    answer = await desk.answer(claude(anthropic))

    assert "nobody can be asked for it here" in answer.text
    assert board.notes == []


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param(posts(*[NOTE] * (MAX_CALLS + 1)), id="too many"),
        pytest.param(posts({**NOTE, "text": "x" * MAX_ARGUMENTS}), id="too long"),
    ],
)
async def test_what_cannot_be_shown_whole_is_not_asked(
    desk: Desk, anthropic: AnthropicServer, board: Board, calls: Says
) -> None:
    anthropic.script += [calls, Says("I propose less.")]

    answer = await desk.answer(claude(anthropic))

    assert answer.text == "I propose less."
    assert all("can be shown for approval" in told for told in results(anthropic.requests[1]))
    assert board.notes == []


async def test_a_change_that_wants_other_arguments_is_approved_anew(
    desk: Desk, anthropic: AnthropicServer, board: Board
) -> None:
    async def refuse() -> None:
        board.before = None
        raise ModelRetry("The kitchen has no board.")

    board.before = refuse
    anthropic.script += [posts(NOTE), posts(SECOND), Says("Done.")]
    await desk.decide(claude(anthropic))

    second = await desk.decide(claude(anthropic))
    answer = await desk.answer(claude(anthropic))

    assert second.calls[0].arguments == SECOND
    assert board.notes == [tuple(SECOND.values())]
    assert results(anthropic.requests[2]) == [DONE]
    assert answer.text == "Done."


async def test_an_expired_proposal_is_told_to_the_model_when_the_turn_goes_on_all_the_same(
    desk: Desk, anthropic: AnthropicServer, board: Board
) -> None:
    anthropic.reply = search_post_answer
    proposal = await proposed(desk, anthropic)
    async with desk.database.session(QUESTION.tenant) as session:
        await turns.park(session, await turns.look(session, QUESTION.turn), FENCE, proposal)
    await desk.execute("UPDATE approvals SET decision = 'expired', decided_at = now()")

    answer = await desk.answer(claude(anthropic))

    assert "did not decide about this call in time" in answer.text
    assert board.notes == []
