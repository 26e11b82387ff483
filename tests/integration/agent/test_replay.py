"""Wherever an attempt stopped, the next one tells the model the same, byte by byte, and comes to the same answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic_ai import RunContext
from pydantic_ai.exceptions import ModelRetry
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel

from athenaeum.agent.budget import EXHAUSTED, Budget
from athenaeum.domain.turn import Answer
from athenaeum.llm.models import ModelKeys, build_model
from athenaeum.tools.grant import Grant
from athenaeum.tools.guard import GuardedToolset
from athenaeum.tools.toolset import build_toolset
from support.anthropic_server import KEY, AnthropicServer, Call, Fails, Reply, Request, Says, search_then_answer
from support.desk import Desk
from support.notes import Board, search_post_answer


@dataclass(slots=True)
class Oracle:
    """A tool that wants to be asked politely, knows nothing of weather, and keeps what it was asked."""

    asked: list[str] = field(default_factory=list[str])

    def toolset(self) -> GuardedToolset:
        async def ask_oracle(_ctx: RunContext[Grant], question: str) -> dict[str, object]:
            """Ask the oracle.

            Args:
                question: What to ask.
            """
            self.asked.append(question)
            if "please" not in question:
                raise ModelRetry("Say please.")
            if "weather" in question:
                raise ValueError("no eyes")
            return {"z": 1e22, "a": [1.0, None, "ü\u2028"], "m": {"b": 1, "a": 2}}

        toolset = build_toolset()
        toolset.add_function(ask_oracle)
        return toolset


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the model does, and under which limits."""

    reply: Callable[[Request], Reply] = search_then_answer
    budget: Budget = field(default_factory=Budget)
    fallback: bool = False
    changes: bool = False


def oracle_replies(request: Request) -> Reply:
    """Three questions, the middle one of two calls at once; then a sentence."""
    said = sum(message["role"] == "assistant" for message in request.body["messages"])
    asked = [("the weather",), ("the weather, please", "the time, please"), ("all, please",)]
    if said == len(asked):
        return Says("The oracle has spoken.")
    return Says("Let me ask.", tuple(Call("ask_oracle", {"question": question}) for question in asked[said]))


def away_at_first(request: Request) -> Reply:
    return Fails(529, "overloaded_error") if "away" in request.body["model"] else search_then_answer(request)


def never_done(request: Request) -> Reply:
    said = sum(message["role"] == "assistant" for message in request.body["messages"])
    return Says("More.", (Call("search_documents", {"query": f"retry failed event {said}"}),))


SCENARIOS = {
    "two searches at once": Scenario(),
    "tools that fail and want another try": Scenario(oracle_replies),
    "a model that another stands in for": Scenario(away_at_first, fallback=True),
    "a budget that ends": Scenario(never_done, Budget(requests=3)),
    "a change that was approved": Scenario(search_post_answer, changes=True),
}


def build(server: AnthropicServer, *, fallback: bool) -> Model[Any]:
    keys = ModelKeys(anthropic_api_key=KEY, anthropic_base_url=server.url)
    model = build_model("anthropic:claude-test", keys)
    return FallbackModel(build_model("anthropic:claude-away", keys), model) if fallback else model


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
async def test_from_every_stop_the_turn_goes_on_as_it_went_the_first_time(
    desk: Desk, anthropic: AnthropicServer, scenario: Scenario
) -> None:
    oracle, board = Oracle(), Board()
    desk.toolset = board.toolset() if scenario.changes else oracle.toolset()
    desk.budget, anthropic.reply = scenario.budget, scenario.reply
    model = build(anthropic, fallback=scenario.fallback)
    if scenario.changes:
        await desk.decide(model)
    first = await desk.answer(model)
    told = list(anthropic.requests)
    steps = await desk.execute("SELECT name, seq FROM steps ORDER BY finished_at, seq")
    called = [*desk.index.searches], [*oracle.asked], [*board.notes]

    assert steps[0].name == "prompt"
    for kept in range(1, len(steps) + 1):  # before that, no word was said that would have to be said again
        for step in steps[kept:]:
            await desk.execute("DELETE FROM steps WHERE name = :name AND seq = :seq", name=step.name, seq=step.seq)
        names = [step.name for step in steps[:kept]]
        requests = sum("model" in name for name in names) * (2 if scenario.fallback else 1)
        searches, questions, notes = (
            sum(tool in name for name in names) for tool in ("call_tool:search", "ask_oracle", "post_note")
        )
        anthropic.requests[:] = told[:requests]  # the server numbers its responses by these
        desk.index.searches[:], oracle.asked[:], board.notes[:] = (
            called[0][:searches],
            called[1][:questions],
            called[2][:notes],
        )

        again = await desk.answer(model)

        assert again == first
        assert [request.sent for request in anthropic.requests] == [request.sent for request in told]
        assert (desk.index.searches, oracle.asked, board.notes) == called


async def test_the_budget_of_a_turn_is_not_filled_up_by_another_attempt(desk: Desk, anthropic: AnthropicServer) -> None:
    desk.budget, anthropic.reply = Budget(requests=3), never_done
    model = build(anthropic, fallback=False)
    first = await desk.answer(model)
    await desk.execute("DELETE FROM steps WHERE seq = 2")

    again = await desk.answer(model)

    assert isinstance(again, Answer)
    assert again.text.startswith(EXHAUSTED)
    assert again.usage == first.usage
    assert len(anthropic.requests) == 4
