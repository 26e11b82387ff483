"""Fingerprints are equal for what means the same, in whichever attempt, and differ for everything else."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_core import PydanticSerializationError

from athenaeum.agent.prompts import CONTEXT, HELP, Prompts
from athenaeum.agent.versions import fingerprint, of_conversation, of_tools
from athenaeum.tools.toolset import build_toolset

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def conversation(*, at: datetime, run: str, arguments: str = '{"query": "freeze"}') -> list[ModelMessage]:
    return [
        ModelRequest([UserPromptPart("When is the freeze?", timestamp=at)], instructions="Be brief.", run_id=run),
        ModelResponse([TextPart("Let me look."), ToolCallPart("search", arguments, "c1")], timestamp=at, run_id=run),
        ModelRequest([ToolReturnPart("search", {"b": 1, "a": 2}, "c1", timestamp=at)], run_id=run),
    ]


FIRST = conversation(at=datetime(2026, 1, 1, tzinfo=UTC), run="1")


def test_a_conversation_is_the_same_at_another_time_and_in_another_run() -> None:
    later = conversation(at=datetime(2026, 1, 8, tzinfo=UTC), run="2")
    assert of_conversation(FIRST) == of_conversation(later)


def test_a_conversation_is_the_same_after_it_was_stored() -> None:
    stored = ModelMessagesTypeAdapter.validate_json(ModelMessagesTypeAdapter.dump_json(FIRST))
    assert of_conversation(FIRST) == of_conversation(stored)


@pytest.mark.parametrize("length", [0, 1, 2])
def test_a_shorter_conversation_is_another(length: int) -> None:
    assert of_conversation(FIRST) != of_conversation(FIRST[:length])


def test_other_words_other_arguments_and_other_instructions_are_another_conversation() -> None:
    reworded, instructed = copy.deepcopy(FIRST), copy.deepcopy(FIRST)
    assert isinstance(reworded[0], ModelRequest)
    assert isinstance(instructed[0], ModelRequest)
    reworded[0].parts = [UserPromptPart("When is the thaw?")]
    instructed[0].instructions = "Be long."
    other = conversation(at=datetime(2026, 1, 1, tzinfo=UTC), run="1", arguments='{"query": "thaw"}')
    found = {of_conversation(messages) for messages in (FIRST, reworded, instructed, other)}
    assert len(found) == 4


@given(JSON)
def test_the_same_value_has_the_same_fingerprint(value: object) -> None:
    assert fingerprint(value) == fingerprint(copy.deepcopy(value))


@given(st.dictionaries(st.text(), st.integers(), min_size=2, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    assert fingerprint(value) == fingerprint(dict(reversed(value.items())))


def test_what_has_no_json_has_no_fingerprint() -> None:
    with pytest.raises(PydanticSerializationError):
        fingerprint([object()])


def test_the_version_of_the_tools_changes_with_any_of_them() -> None:
    fewer = build_toolset()
    del fewer.tools["search_messages"]
    described = build_toolset()
    described.tools["search_messages"].description = "Search elsewhere."
    assert of_tools(build_toolset()) == of_tools(build_toolset())
    assert len({of_tools(build_toolset()), of_tools(fewer), of_tools(described)}) == 3


def test_the_version_of_the_prompts_changes_with_what_a_turn_is_told_only(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    told, helped = tmp_path_factory.mktemp("told"), tmp_path_factory.mktemp("helped")
    (told / CONTEXT).write_text("Something else.")
    (helped / HELP).write_text("Something else.")
    assert Prompts().version == Prompts(helped).version != Prompts(told).version
